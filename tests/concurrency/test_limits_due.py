"""Marks for the drain: none is lost to a transaction that is still open, and nobody waits for anybody."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from quotas import limits, subscription_clock
from quotas.models import Limit, LimitKind, LimitsDue, Subscription
from quotas.subscriptions import assign_plan
from tests.cast import ACTOR, NOON, Cast
from tests.quotas.plans import catalog_document, publish

OVERHEAD = {"cpuPerProject": "100m", "memPerProject": "128Mi"}


@pytest.fixture
def other(committed_db: str, process_environment: dict[str, str]) -> Iterator[psycopg.Connection]:
    """A second connection that waits for a lock two seconds at most."""
    with psycopg.connect(process_environment["DATABASE_URL"]) as connection:
        connection.execute("SET lock_timeout = '2s'")
        connection.commit()
        yield connection
        connection.rollback()


@pytest.fixture
def subscribed(committed_db: str, cast: Cast) -> Cast:
    publish(catalog_document(systemOverhead=OVERHEAD))
    assign_plan(cast.acme, "pro-pool", {}, actor=ACTOR, reason="for a test", at=NOON)
    limits.drain(NOON)
    return cast


def requests_cpu() -> str:
    return str(Limit.objects.get(kind=LimitKind.HIERARCHICAL_RESOURCE_QUOTA).values["requests.cpu"])


def test_a_change_that_commits_after_the_drain_is_computed_by_the_next(
    subscribed: Cast, other: psycopg.Connection
) -> None:
    """Another mark of the organization stands already, so that the drain has a reason to compute in between."""
    assert requests_cpu() == "13"
    limits.mark_due([subscribed.acme.pk], at=NOON)
    other.execute(
        "INSERT INTO policy_values (key, scope, scope_id, value, updated_at)"
        " VALUES ('quotas.projects_limit', 'global', NULL, '3', now())"
    )
    other.execute("INSERT INTO limits_due (organization_id, since) VALUES (%s, now())", [subscribed.acme.pk])
    assert limits.drain(NOON) == 1
    assert requests_cpu() == "13"
    other.commit()
    assert limits.drain(NOON) == 1
    assert requests_cpu() == "8300m"


def test_an_organization_that_somebody_is_changing_is_left_for_the_next_ring(
    subscribed: Cast, other: psycopg.Connection
) -> None:
    limits.mark_due([subscribed.acme.pk], at=NOON)
    other.execute("SELECT FROM organizations WHERE id = %s FOR NO KEY UPDATE", [subscribed.acme.pk])
    other.execute("INSERT INTO limits_due (organization_id, since) VALUES (%s, now())", [subscribed.acme.pk])
    assert limits.drain(NOON) == 0
    other.commit()
    assert LimitsDue.objects.count() == 2
    assert limits.drain(NOON) == 1
    assert not LimitsDue.objects.exists()


def test_a_subscription_that_somebody_is_changing_is_left_for_the_next_ring(
    subscribed: Cast, other: psycopg.Connection
) -> None:
    later = NOON + timedelta(days=40)
    other.execute("SELECT FROM organizations WHERE id = %s FOR NO KEY UPDATE", [subscribed.acme.pk])
    assert subscription_clock.drain(later) == 0
    other.commit()
    assert subscription_clock.drain(later) == 1
    assert Subscription.objects.get().period_start > NOON
