"""Fifty requests at once at a limit of ten: ten pass."""

from pytest_django.fixtures import Settings

from tests.accounts.api.callers import client_of, member
from tests.cast import Cast
from tests.concurrency.racing import race, successes


def test_no_more_pass_than_the_limit_lets(committed_db: str, cast: Cast, settings: Settings) -> None:
    settings.API_READS_PER_MINUTE = 10
    caller = member(cast.alice, cast.acme, "org-admin")
    results = successes(race(*[lambda: client_of(caller).get("/api/v1/me").status_code] * 50))
    assert sorted(set(results)) == [200, 429]
    assert results.count(200) in (10, 11)  # one more grows back in six seconds
