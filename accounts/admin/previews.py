"""What an act would do, shown before it is done: to whoever asks for it and to whoever approves it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accounts.errors import DomainError
from accounts.models import BillingAccount


@dataclass(frozen=True)
class JournalRow:
    """A line that would be posted: minor units, positive credits and negative debits."""

    account: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class BalanceChange:
    """A balance before and after, minor units."""

    label: str
    before_minor: int
    after_minor: int
    currency: str


@dataclass(frozen=True)
class Table:
    """What an act would change row by row. Columns named in `figures` hold numbers, and stand to the right."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[object]]
    figures: frozenset[str] = frozenset()

    def headed(self) -> list[tuple[str, bool]]:
        """Each heading, and whether it stands over numbers."""
        return [(head, head in self.figures) for head in self.heads]

    def cells(self) -> list[list[tuple[str, object, bool]]]:
        """Each row as heading, value, and whether it is a number."""
        return [
            [(head, value, head in self.figures) for head, value in zip(self.heads, row, strict=True)]
            for row in self.rows
        ]


@dataclass(frozen=True)
class Preview:
    facts: Sequence[tuple[str, object]]
    rows: Sequence[JournalRow] = ()
    balances: Sequence[BalanceChange] = ()
    second_person: str = ""
    warning: str = ""
    tables: Sequence[Table] = ()


_previews: dict[str, Callable[[dict[str, Any]], Preview]] = {}


def register(act: str, preview: Callable[[dict[str, Any]], Preview]) -> None:
    """A room says how a proposal of its act is shown to the person who decides."""
    _previews[act] = preview


def preview_of(act: str, proposal: dict[str, Any]) -> Preview | None:
    """The preview as of now; where the proposal can no longer be carried out, the reason instead of a journal."""
    if act not in _previews:
        return None
    try:
        return _previews[act](proposal)
    except DomainError as error:
        return Preview([], warning=f"{error.detail} ({error.code})")


Fact = tuple[str, object]
_facts: list[Callable[[BillingAccount], Fact]] = []


def register_fact(fact: Callable[[BillingAccount], Fact]) -> None:
    """A right room says something about an account that previews of the rooms to its left show as well."""
    _facts.append(fact)


def facts_about(account: BillingAccount) -> list[Fact]:
    """The account by name and id, and what the rooms say about it now."""
    return [("Billing account", f"{account.name} ({account.public_id})"), *(fact(account) for fact in _facts)]


def with_fact(preview: Preview, title: str, value: object) -> Preview:
    """The preview with one more line about the proposal."""
    return replace(preview, facts=[*preview.facts, (title, value)])
