"""What the signed-in person of a request may do, read once for each request."""

from typing import cast

from django.http import HttpRequest

from accounts import staff_roles
from accounts.models import User


def may(request: HttpRequest, ability: str) -> bool:
    """Whether the signed-in person holds an ability (view, operate, approve, administer, identify)."""
    held: dict[str, bool] | None = request.__dict__.get("_staff_abilities")
    if held is None:
        held = request.__dict__["_staff_abilities"] = staff_roles.abilities_of(cast(User, request.user))
    return held[ability]
