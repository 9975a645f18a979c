"""The customer lines of a billing account, newest first, with their running balance; paged by key, never counted."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from accounts.public_ids import encode
from ledger.chain_search import Chains
from ledger.models import LedgerEntry

BUT_USAGE = "not_usage"
WORDS = {
    "usage": "Usage",
    "topup": "Top-up",
    "transfer": "Bank transfer",
    "credit_grant": "Credit granted",
    "adjustment": "Adjustment",
    "refund": "Refund",
    "invoice": "Invoice",
    "payment": "Payment",
    "tax": "Tax",
    "dispute": "Dispute",
    "write_off": "Write-off",
    "expiry": "Expired credit",
    "recovery": "Recovery",
}
# Each chain is read by its own sequence, which is its index; what is no usage has an index of its own.
_LINES = """
SELECT e.id, e.ledger_account_id, e.account_seq, e.effective_at, e.amount_minor, e.balance_after, e.currency,
       c.kind, e.reason, e.transaction_id, t.business_key, e.metadata ? 'corrects_entry_id'
FROM unnest(%(chains)s::bigint[], %(kinds)s::text[], %(above)s::bigint[], %(below)s::bigint[])
     AS c (id, kind, above, below)
CROSS JOIN LATERAL (
    SELECT * FROM ledger_entries
    WHERE ledger_account_id = c.id AND account_seq > c.above AND account_seq < c.below {only}
    ORDER BY account_seq DESC LIMIT %(most)s
) e
JOIN ledger_transactions t ON t.id = e.transaction_id
ORDER BY e.id DESC LIMIT %(most)s
"""
_ONLY = {
    "": "",
    "usage": "AND reason = 'usage'",
    BUT_USAGE: "AND reason <> 'usage'",
}
_OTHER = "AND reason <> 'usage' AND reason = %(reason)s"


@dataclass(frozen=True)
class Asked:
    """Which lines are wanted: of a kind, after a moment and up to another, below the mark of a former page."""

    kind: str = ""
    after: datetime | None = None
    until: datetime | None = None
    below: str = ""


@dataclass(frozen=True)
class Line:
    pk: int
    chain: int
    seq: int
    effective_at: datetime
    amount_minor: int
    balance_after: int
    currency: str
    kind: str
    reason: str
    transaction_id: int
    business_key: str
    corrects: bool

    @property
    def public_id(self) -> str:
        return encode(LedgerEntry.PUBLIC_PREFIX, self.pk)

    @property
    def words(self) -> str:
        return WORDS.get(self.reason, self.reason)


@dataclass(frozen=True)
class Timeline:
    entries: list[Line]
    next_page: str


def timeline(chains: Chains, asked: Asked, *, page: int) -> Timeline:
    """A page of an account's lines. The moments of `asked` must be among those the chains were asked for."""
    if not chains.heads:
        return Timeline([], "")
    marks = _marks(asked.below)
    found = _lines(chains, asked, marks, page + 1)
    shown = found[:page]
    if len(found) <= page:
        return Timeline(shown, "")
    marks = {chain: seq for chain, seq in marks.items() if chain in {head.chain for head in chains.heads}}
    for line in shown:
        marks[line.chain] = line.seq
    return Timeline(shown, "-".join(f"{chain}.{seq}" for chain, seq in sorted(marks.items())))


def _lines(chains: Chains, asked: Asked, marks: dict[int, int], most: int) -> list[Line]:
    after = chains.seqs_at(asked.after) if asked.after else {}
    until = chains.seqs_at(asked.until) if asked.until else {}
    below = [min(marks.get(head.chain, head.seq + 1), until.get(head.chain, head.seq) + 1) for head in chains.heads]
    statement = _LINES.format(only=_ONLY.get(asked.kind, _OTHER))
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "chains": [head.chain for head in chains.heads],
                "kinds": [head.kind for head in chains.heads],
                "above": [after.get(head.chain, 0) for head in chains.heads],
                "below": below,
                "reason": asked.kind,
                "most": most,
            },
        )
        return [Line(*row) for row in cursor.fetchall()]


def _marks(text: str) -> dict[int, int]:
    """`12.40-13.7`: below line 40 of ledger account 12 and line 7 of 13. What is no mark is left out."""
    marks = {}
    for part in text.split("-")[:20]:
        key, _, seq = part.partition(".")
        if all(number.isascii() and number.isdigit() and len(number) < 19 for number in (key, seq)):
            marks[int(key)] = int(seq)
    return marks
