"""Rings of the doorbells, noted by the worker that hears them."""

from datetime import datetime

from accounts.models import Doorbell


def note_ring(task: str, *, at: datetime) -> None:
    """A worker takes up the task now (`at` UTC)."""
    _note(Doorbell(task=task, rang_at=at), "rang_at")


def note_answer(task: str, *, rang_at: datetime, at: datetime, error: str = "") -> None:
    """The worker is done with the task (`at` UTC), or gave it up with that error."""
    _note(Doorbell(task=task, rang_at=rang_at, answered_at=at, error=error[:200]), "answered_at", "error")


def _note(bell: Doorbell, *fields: str) -> None:
    Doorbell.objects.bulk_create([bell], update_conflicts=True, unique_fields=["task"], update_fields=fields)
