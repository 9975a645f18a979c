"""What the signed-in person of a request may do, read once for each request."""

from typing import cast

from django.http import HttpRequest

from accounts import staff_roles
from accounts.models import User


def may(request: HttpRequest, ability: str) -> bool:
    """Whether the signed-in person holds an ability (view, operate, approve, administer)."""
    held: dict[str, bool] = request.__dict__.setdefault("_staff_abilities", {})
    if ability not in held:
        held[ability] = staff_roles.may(cast(User, request.user), ability)
    return held[ability]
