"""Where the chains of an account stood at given moments, in one query: by halving their sequence, never by a scan."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

# Sequences have no gaps and entries are written in the order of their moments, so halving finds the last one of a
# moment in some twenty look-ups by the unique index, however long the chain is.
_FIND = """
WITH RECURSIVE chain AS MATERIALIZED (
    SELECT a.id, a.kind, head.account_seq AS seq, head.balance_after
    FROM ledger_accounts a
    CROSS JOIN LATERAL (
        SELECT account_seq, balance_after FROM ledger_entries
        WHERE ledger_account_id = a.id ORDER BY account_seq DESC LIMIT 1
    ) head
    WHERE a.billing_account_id = %(account)s AND a.chained
), search (id, moment, low, high) AS (
    SELECT chain.id, wanted.moment, 0::bigint, chain.seq
    FROM chain CROSS JOIN unnest(%(moments)s::timestamptz[]) AS wanted (moment)
    UNION ALL
    SELECT id, moment, CASE WHEN later THEN low ELSE middle END, CASE WHEN later THEN middle - 1 ELSE high END
    FROM (
        SELECT id, moment, low, high, middle,
               (SELECT e.effective_at FROM ledger_entries e
                WHERE e.ledger_account_id = halved.id AND e.account_seq = halved.middle) > moment AS later
        FROM (SELECT *, (low + high + 1) / 2 AS middle FROM search WHERE low < high) halved
    ) judged
)
SELECT id, kind, NULL, seq, balance_after FROM chain
UNION ALL
SELECT found.id, chain.kind, found.moment, found.low,
       (SELECT e.balance_after FROM ledger_entries e
        WHERE e.ledger_account_id = found.id AND e.account_seq = found.low)
FROM (SELECT * FROM search WHERE low = high) found JOIN chain USING (id)
"""


@dataclass(frozen=True)
class Place:
    """A line of a chain: the last one at a moment, or the head. `seq` is 0 before the first."""

    chain: int
    kind: str
    seq: int
    balance_minor: int


@dataclass(frozen=True)
class Chains:
    """The customer chains of an account: their heads, and where each stood at the moments asked for."""

    heads: list[Place] = field(default_factory=list)
    places: dict[datetime, list[Place]] = field(default_factory=dict)

    @property
    def kinds(self) -> dict[str, int]:
        """What stands on each kind now, in minor units."""
        return {head.kind: head.balance_minor for head in self.heads}

    def balance_at(self, moment: datetime, kinds: Collection[str]) -> int:
        return sum(place.balance_minor for place in self.places.get(moment, []) if place.kind in kinds)

    def seqs_at(self, moment: datetime) -> dict[int, int]:
        """The last line of each chain at a moment."""
        return {place.chain: place.seq for place in self.places.get(moment, [])}


def find(account_id: int, moments: Collection[datetime]) -> Chains:
    """The chains of an account, and where they stood at each of these moments."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"account": account_id, "moments": sorted(set(moments))})
        rows = cursor.fetchall()
    chains = Chains()
    for chain, kind, moment, seq, balance_minor in sorted(rows, key=lambda row: row[0]):
        place = Place(chain, kind, seq, balance_minor or 0)
        if moment is None:
            chains.heads.append(place)
        else:
            chains.places.setdefault(moment, []).append(place)
    return chains
