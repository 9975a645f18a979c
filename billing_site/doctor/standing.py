"""How prepaid accounts stand: each has its state, each is judged in time, and what was asked to be released is gone."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection

from accounts.currencies import format_minor
from accounts.public_ids import encode
from billing_site.back_office.spans import span
from billing_site.doctor.findings import Finding, fault, good, warning
from billing_site.unconfirmed_releases import MOST, debts, unconfirmed_releases

JUDGED_WITHIN = timedelta(minutes=5)
NAMED = 5

_WITHOUT_STATE = """
SELECT b.id FROM billing_accounts b LEFT JOIN balance_states s ON s.billing_account_id = b.id
WHERE b.settlement = 'prepaid' AND s.billing_account_id IS NULL ORDER BY b.id LIMIT %s
"""
# A value for everybody, and a new rate, ask for judgement of accounts; it is done at the next ring.
_TO_JUDGE = """
SELECT count(*), greatest(
    (SELECT max(updated_at) FROM policy_values WHERE scope IN ('global', 'plan')),
    (SELECT max(effective_from) FROM sku_rates WHERE effective_from <= %s)
) FROM balance_states WHERE judge_due
"""


def balances(at: datetime) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT_STATE, [NAMED + 1])
        stateless = [encode("ba", key) for (key,) in cursor.fetchall()]
        cursor.execute(_TO_JUDGE, [at])
        to_judge, asked_at = cursor.fetchone()
    if stateless:
        names = ", ".join(stateless[:NAMED]) + (" …" if len(stateless) > NAMED else "")
        todo = "A trigger opens them; this one was switched off. Run manage.py verify_books --full and report it."
        yield fault("balances", f"prepaid accounts without a balance state: {names}", todo)
    if to_judge and (asked_at is None or at - asked_at > JUDGED_WITHIN):
        todo = "The tick judges them. Does the worker run? manage.py accrue does it now."
        since = f" since {span((at - asked_at).total_seconds())}" if asked_at else ""
        yield fault("balances", f"{to_judge} accounts wait to be judged{since}", todo)
    elif not stateless:
        yield good("balances", f"{to_judge} accounts wait to be judged" if to_judge else "every account is judged")


def releases(at: datetime) -> Iterator[Finding]:
    """Machines that the platform was asked to take down and did not within the grace."""
    found = unconfirmed_releases(at)
    if not found:
        yield good("releases", "every release that was asked for is confirmed or within its grace")
        return
    more = "+" if len(found) >= MOST else ""
    cost = ", ".join(format_minor(amount, currency) for currency, amount in debts(found).items())
    what = f"{len(found)}{more} unconfirmed past their grace, {cost} so far, first {found[0].allocation}"
    todo = "Ask the platform to take them down; the list is behind Unconfirmed releases on the home page."
    yield warning("releases", what, todo)
