"""The feed of events: ordered, complete, and each reader's own."""

import threading
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from rest_framework.test import APIClient

from accounts import event_feed
from accounts.models import FeedEvent
from accounts.outbox import emit
from tests.accounts.api.callers import client_of, member, staff
from tests.cast import NOON, Cast

TOPIC = "quotas.quota_changed"
EVENTS = "/api/v1/events"


def say(organization_id: int | None, number: int, topic: str = TOPIC) -> None:
    emit(topic, {"number": number}, at=NOON, organization_id=organization_id)


def numbers(client: APIClient, **query: Any) -> list[int]:
    return [event["payload"]["number"] for event in client.get(EVENTS, query).json()["data"]]


def test_each_reads_on_from_where_they_stopped(cast: Cast) -> None:
    event_feed.number_committed()
    for number in range(1, 6):
        say(cast.strangers.pk if number == 3 else cast.acme.pk, number)
    alice = client_of(member(cast.alice, cast.acme, "org-admin"))
    start = alice.get(EVENTS).json()["next_after"]
    assert numbers(alice, after=start) == []
    assert event_feed.number_committed() == 5
    first = alice.get(EVENTS, {"after": start, "limit": 2}).json()
    assert [event["payload"]["number"] for event in first["data"]] == [1, 2]
    assert first["has_more"] is True
    assert numbers(alice, after=first["next_after"]) == [4, 5]
    last = alice.get(EVENTS, {"after": first["next_after"]}).json()
    assert alice.get(EVENTS, {"after": last["next_after"]}).json() == {
        "data": [],
        "has_more": False,
        "next_after": last["next_after"],
    }
    assert numbers(alice, after=start, topic="quotas.quota_alert") == []
    assert numbers(client_of(staff(cast.dana)), after=start, topic=TOPIC) == [1, 2, 3, 4, 5]


def test_what_is_our_own_business_stays_with_us(cast: Cast) -> None:
    event_feed.number_committed()
    say(cast.acme.pk, 1, "ledger.account_parked")
    say(None, 2, "quotas.catalog_refused")
    event_feed.number_committed()
    alice = client_of(member(cast.alice, cast.acme, "org-admin"))
    assert alice.get(EVENTS).json()["data"] == []
    topics = [event["topic"] for event in client_of(staff(cast.dana)).get(EVENTS).json()["data"]]
    assert topics[-2:] == ["ledger.account_parked", "quotas.catalog_refused"]


def test_a_message_committed_late_is_not_skipped(committed_db: str, cast: Cast) -> None:
    """Its id is smaller than that of one already read; its position is not."""
    event_feed.number_committed()
    alice = client_of(member(cast.alice, cast.acme, "org-admin"))
    start = alice.get(EVENTS).json()["next_after"]
    written, let_go = threading.Event(), threading.Event()

    def late() -> None:
        try:
            with transaction.atomic():
                say(cast.acme.pk, 1)
                written.set()
                assert let_go.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    assert written.wait(30)
    say(cast.acme.pk, 2)
    event_feed.number_committed()
    page = alice.get(EVENTS, {"after": start}).json()
    assert [event["payload"]["number"] for event in page["data"]] == [2]
    let_go.set()
    thread.join()
    event_feed.number_committed()
    assert numbers(alice, after=page["next_after"]) == [1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event_feed SET position = position + 1000",
        "UPDATE event_feed SET position = NULL",
        "UPDATE event_feed SET organization_id = NULL",
        "DELETE FROM event_feed",
        "TRUNCATE event_feed",
    ],
)
def test_a_position_is_given_once(cast: Cast, statement: str) -> None:
    say(cast.acme.pk, 1)
    event_feed.number_committed()
    before = list(FeedEvent.objects.values_list("message_id", "position").order_by("position"))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(FeedEvent.objects.values_list("message_id", "position").order_by("position")) == before


@pytest.mark.parametrize("query", [{"after": "-1"}, {"after": "x"}, {"limit": "101"}, {"topic": "a" * 81}, {"x": "1"}])
def test_a_strange_question_is_refused(cast: Cast, query: dict[str, str]) -> None:
    alice = client_of(member(cast.alice, cast.acme, "org-admin"))
    assert alice.get(EVENTS, query).status_code == 422
