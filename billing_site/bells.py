"""When each task of the beat last rang in a worker: noted by Celery's signals, read by pages, doctor and metrics."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from celery import signals
from celery.schedules import schedule
from django.db import DatabaseError, InterfaceError

from accounts import clock, doorbells
from accounts.models import Doorbell
from billing_site.celery import app

log = structlog.get_logger(__name__)
SILENT_SECONDS = 60
STUCK_SECONDS = 300


@dataclass(frozen=True)
class Bell:
    """A task of the beat, and how it last went; moments are None where it never rang here."""

    task: str
    every_seconds: float
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    error: str = ""

    def silent_seconds(self, at: datetime) -> float | None:
        return None if self.rang_at is None else max(0.0, (at - self.rang_at).total_seconds())

    def under_way_seconds(self, at: datetime) -> float:
        """How long it has been at work, 0 where it has answered."""
        if self.rang_at is None or (self.answered_at is not None and self.answered_at >= self.rang_at):
            return 0.0
        return max(0.0, (at - self.rang_at).total_seconds())


def bells() -> list[Bell]:
    """Every task of the beat, the most frequent first."""
    noted = {row.task: row for row in Doorbell.objects.all()}
    found = []
    for task, every_seconds in _periods().items():
        row = noted.get(task)
        rang = (row.rang_at, row.answered_at, row.error) if row else ()
        found.append(Bell(task, every_seconds, *rang))
    return sorted(found, key=lambda bell: bell.every_seconds)


def last_ring(found: list[Bell]) -> datetime | None:
    """When a worker last took up anything."""
    return max((bell.rang_at for bell in found if bell.rang_at), default=None)


def connect_celery() -> None:
    signals.task_prerun.connect(_rang, dispatch_uid="billing_site.bells.rang")
    signals.task_postrun.connect(_answered, dispatch_uid="billing_site.bells.answered")


def _periods() -> dict[str, float]:
    entries = app.conf.beat_schedule.values()
    return {
        entry["task"]: entry["schedule"].run_every.total_seconds()
        for entry in entries
        if isinstance(entry["schedule"], schedule)
    }


def _rang(task: Any, **_: object) -> None:
    if task.name in _periods():
        task.request.rang_at = clock.now()
        _quietly(doorbells.note_ring, task.name, at=task.request.rang_at)


def _answered(task: Any, state: str | None = None, retval: object = None, **_: object) -> None:
    rang_at = getattr(task.request, "rang_at", None)
    if rang_at is None:
        return
    error = f"{type(retval).__name__}: {retval}" if state == "FAILURE" else ""
    words = " ".join(error.replace("\x00", "").split())
    _quietly(doorbells.note_answer, task.name, rang_at=rang_at, at=clock.now(), error=words)


def _quietly(note: Any, task: str, **moments: Any) -> None:
    """A ring that cannot be noted is work all the same."""
    try:
        note(task, **moments)
    except (DatabaseError, InterfaceError):
        log.warning("ring_not_noted", task=task, exc_info=True)
