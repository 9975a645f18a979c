"""What is said about an account and since when: conditions, enforcement reasons, episodes, depletions; one query."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from accounts.enforcement import FULL
from accounts.public_ids import encode
from ledger.models import Depletion, LowBalanceEpisode

MOST = 20
_SEVERITY = {"warn": 1, "restricted": 2, "halted": 3}
_REGISTERS = """
SELECT 'condition', id, type, status, concat_ws(': ', reason, nullif(message, '')), last_transition_at, NULL, 0, 0
FROM conditions WHERE billing_account_id = %(account)s
UNION ALL (
    SELECT 'reason', id, source, level, why, since, closed_at, 0, 0
    FROM enforcement_reasons WHERE billing_account_id = %(account)s AND closed_at IS NULL
)
UNION ALL (
    SELECT 'reason', id, source, level, why, since, closed_at, 0, 0
    FROM enforcement_reasons WHERE billing_account_id = %(account)s AND closed_at IS NOT NULL
    ORDER BY id DESC LIMIT %(most)s
)
UNION ALL (
    SELECT 'episode', id, '', '', '', opened_at, closed_at, balance_minor, 0
    FROM low_balance_events WHERE billing_account_id = %(account)s ORDER BY id DESC LIMIT %(most)s
)
UNION ALL (
    SELECT 'depletion', d.id, '', '', '', d.depleted_at, d.closed_at, asked.count, asked.unconfirmed
    FROM (
        SELECT * FROM depletions WHERE billing_account_id = %(account)s ORDER BY id DESC LIMIT %(most)s
    ) d
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, count(*) FILTER (WHERE a.status <> 'released') AS unconfirmed
        FROM force_release_requests f JOIN allocations a ON a.id = f.allocation_id WHERE f.depletion_id = d.id
    ) asked
)
"""


@dataclass(frozen=True)
class Register:
    """A row of a register; open where `until` is None."""

    kind: str
    pk: int
    name: str
    status: str
    words: str
    since: datetime
    until: datetime | None
    first: int  # an episode: the balance it opened at, in minor units; a depletion: releases asked for
    second: int  # a depletion: those not confirmed

    @property
    def public_id(self) -> str:
        prefix = LowBalanceEpisode.PUBLIC_PREFIX if self.kind == "episode" else Depletion.PUBLIC_PREFIX
        return encode(prefix, self.pk)


@dataclass(frozen=True)
class Standing:
    conditions: list[Register]
    reasons: list[Register]
    episodes: list[Register]
    depletions: list[Register]

    @property
    def open_reasons(self) -> list[Register]:
        return [reason for reason in self.reasons if reason.until is None]

    @property
    def closed_reasons(self) -> list[Register]:
        return [reason for reason in self.reasons if reason.until is not None]

    @property
    def level(self) -> str:
        """As `enforcement.level`: the worst open reason."""
        levels = [reason.status for reason in self.open_reasons]
        return max(levels, key=lambda word: _SEVERITY.get(word, 0), default=FULL)

    @property
    def open_depletion(self) -> Register | None:
        return next((depletion for depletion in self.depletions if depletion.until is None), None)


def standing_of(account_id: int) -> Standing:
    """The registers of an account: open rows first, then the newest; closed ones up to MOST of each."""
    with connection.cursor() as cursor:
        cursor.execute(_REGISTERS, {"account": account_id, "most": MOST})
        rows = [Register(*row) for row in cursor.fetchall()]
    rows.sort(key=lambda row: (row.until is not None, -row.pk))
    by_kind = {kind: [row for row in rows if row.kind == kind] for kind in ("reason", "episode", "depletion")}
    conditions = sorted((row for row in rows if row.kind == "condition"), key=lambda row: row.name)
    return Standing(conditions, by_kind["reason"], by_kind["episode"], by_kind["depletion"])
