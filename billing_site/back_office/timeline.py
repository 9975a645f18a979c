"""The customer lines of a billing account, newest first, with their running balance; paged by key, never counted."""

from dataclasses import dataclass

from accounts.models import BillingAccount
from ledger.models import LedgerAccount, LedgerEntry

PAGE = 50


@dataclass(frozen=True)
class Timeline:
    entries: list[LedgerEntry]
    next_page: str


def timeline(account: BillingAccount, below: str = "", *, page: int = PAGE) -> Timeline:
    """A page of an account's lines; `below` is the mark a former page ended with.

    Each ledger account is read by its own sequence, which is its index; a mark holds where each of them stood.
    """
    marks = _marks(below)
    own = LedgerAccount.objects.filter(billing_account=account, chained=True).values_list("pk", flat=True)
    found: list[LedgerEntry] = []
    for key in own:
        lines = LedgerEntry.objects.filter(ledger_account_id=key).select_related("transaction", "ledger_account")
        if key in marks:
            lines = lines.filter(account_seq__lt=marks[key])
        found += lines.order_by("-account_seq")[: page + 1]
    found.sort(key=lambda entry: entry.pk, reverse=True)
    shown = found[:page]
    for entry in shown:
        marks[entry.ledger_account_id] = entry.account_seq or 0
    more = len(found) > page
    return Timeline(shown, "-".join(f"{key}.{seq}" for key, seq in sorted(marks.items())) if more else "")


def _marks(text: str) -> dict[int, int]:
    """`12.40-13.7`: below line 40 of ledger account 12 and line 7 of 13. What is no mark is left out."""
    marks = {}
    for part in text.split("-")[:20]:
        key, _, seq = part.partition(".")
        if all(number.isascii() and number.isdigit() and len(number) < 19 for number in (key, seq)):
            marks[int(key)] = int(seq)
    return marks
