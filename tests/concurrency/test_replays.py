"""Replays that begin at one moment have organizations of their own."""

from functools import partial

from accounts.models import Organization
from billing_site.trace_replay import Stage, Terms, set_stage
from tests.cast import Cast
from tests.concurrency.racing import race, successes

TERMS = Terms("2.50", "0.04", "USD", accounts=3, settlement="postpaid", window_seconds=3600)


def test_replays_at_once_all_begin(committed_db: str, cast: Cast) -> None:
    begun = race(*[partial(set_stage, TERMS, owner=cast.alice, entity=cast.entity)] * 4)
    stages: list[Stage] = successes(begun)
    assert len(stages) == 4, begun
    accounts = {account.pk for stage in stages for account in stage.accounts}
    assert len(accounts) == 12
    assert Organization.objects.filter(slug__startswith="replay-").count() == 12
