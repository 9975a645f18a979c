"""What a search finds: hits in a line each, grouped by kind."""

from collections.abc import Iterable
from dataclasses import dataclass

SHOWN = 8  # of a kind
READ = SHOWN + 1  # one more says that there are others


@dataclass(frozen=True)
class Hit:
    """`line` says what it is, as text or safe HTML; `exact` where the term names it, not only begins its name."""

    title: str
    line: str
    url: str
    exact: bool = False


@dataclass(frozen=True)
class Group:
    title: str
    hits: list[Hit]
    more: bool = False


def group(title: str, hits: Iterable[Hit]) -> Group:
    """The exact ones first, then by title."""
    found = sorted(hits, key=lambda hit: (not hit.exact, hit.title.casefold()))
    return Group(title, found[:SHOWN], more=len(found) > SHOWN)
