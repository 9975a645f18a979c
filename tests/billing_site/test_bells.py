"""A task that rings in a worker leaves its moment, its end and its error; work goes on where that cannot be written."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from accounts import doorbells
from accounts.clock import now
from accounts.models import Doorbell
from accounts.tasks import expire_approvals
from billing_site import bells
from billing_site.celery import app
from ledger import daily_totals
from ledger.tasks import fold_daily_totals

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    """`apply` runs a task in this process, with the signals a worker sends."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def test_a_ring_and_its_answer_are_noted() -> None:
    before = now()
    fold_daily_totals.apply()
    bell = Doorbell.objects.get(task="ledger.fold_daily_totals")
    assert bell.answered_at is not None
    assert before <= bell.rang_at <= bell.answered_at <= now()
    assert bell.error == ""
    fold_daily_totals.apply()
    assert Doorbell.objects.get().rang_at > bell.rang_at


def test_a_failing_task_says_why_until_it_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise ValueError("no such\x00 day\nat all" + "!" * 300)

    with monkeypatch.context() as patch:
        patch.setattr(daily_totals, "fold", fail)
        fold_daily_totals.apply()
    error = Doorbell.objects.get().error
    assert error.startswith("ValueError: no such day at all!")
    assert len(error) == 200
    fold_daily_totals.apply()
    assert Doorbell.objects.get().error == ""


def test_a_ring_that_cannot_be_noted_is_work_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("no room")

    monkeypatch.setattr(doorbells, "note_ring", refuse)
    monkeypatch.setattr(doorbells, "note_answer", refuse)
    assert expire_approvals.apply().get() == 0
    assert not Doorbell.objects.exists()


def test_every_task_of_the_beat_is_listed_with_how_it_stands() -> None:
    at = now()
    doorbells.note_ring("ledger.accrue", at=at - timedelta(seconds=90))
    found = {bell.task: bell for bell in bells.bells()}
    assert set(found) == {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert found["ledger.accrue"].silent_seconds(at) == 90
    assert found["ledger.accrue"].under_way_seconds(at) == 90
    assert found["ledger.verify_books"].silent_seconds(at) is None
    assert bells.last_ring(list(found.values())) == at - timedelta(seconds=90)
    doorbells.note_answer("ledger.accrue", rang_at=at - timedelta(seconds=90), at=at)
    assert {bell.task: bell for bell in bells.bells()}["ledger.accrue"].under_way_seconds(at) == 0
