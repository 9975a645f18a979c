"""What a runbook page says: what is seen now, the causes that fit it, and what to do about each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Symptom:
    """A figure as it stands now; `tone` is calm, wait or alarm, and `url` the list behind it."""

    title: str
    figure: str
    tone: str
    hint: str
    url: str = ""


@dataclass(frozen=True)
class Step:
    """One thing to do: a page to open or a command for whoever works on the server; `act` changes something."""

    text: str
    url: str = ""
    command: str = ""
    act: bool = False


@dataclass(frozen=True)
class Cause:
    """A cause that fits what is seen, in words, and its steps in the order in which to take them."""

    title: str
    why: str
    steps: Sequence[Step]


@dataclass(frozen=True)
class Table:
    """Details; cells are text, moments or None, `figures` the columns of numbers. `empty` is said where no row is."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    empty: str
    note: str = ""
    figures: Sequence[int] = ()


@dataclass(frozen=True)
class Reading:
    """One look. `tone` and `headline` sum it up."""

    tone: str
    headline: str
    symptoms: Sequence[Symptom]
    causes: Sequence[Cause]
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Runbook:
    """A page for one kind of trouble. `name` is its address and part of the names of its acts."""

    name: str
    title: str
    about: str
    costs: str
    document: str
    read: Callable[[datetime], Reading]
    acts: Sequence[tuple[str, str]] = ()  # name of an admin page, and what its button says
