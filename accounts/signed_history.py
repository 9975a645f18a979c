"""Rows whose history says who changed them, why and when."""

from datetime import datetime
from typing import Any

from accounts.audit import Actor
from accounts.models import User


def sign(row: Any, actor: Actor, reason: str, at: datetime) -> None:
    """Put the signature on a row of django-simple-history, for its next save or delete."""
    user = User.objects.filter(pk=actor.user_id).first() if actor.user_id else None
    signature = {"_change_reason": reason, "_history_date": at, "_history_user": user}
    for name, value in signature.items():
        setattr(row, name, value)  # django-simple-history's doors


def save_signed(row: Any, actor: Actor, reason: str, at: datetime) -> None:
    """Save a row with its signature."""
    sign(row, actor, reason, at)
    row.save()
