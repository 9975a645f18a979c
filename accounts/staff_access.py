"""Who of us may enter the back office, and in which groups: changed by platform-admin, never for oneself."""

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from accounts import staff_roles
from accounts.audit import person, record, require_reason
from accounts.errors import DomainError, Forbidden, NotFound
from accounts.models import User


class GroupUnknown(DomainError):
    code = "group_unknown"
    field = "groups"


@transaction.atomic
def set_access(
    user_id: int, *, active: bool, staff: bool, groups: Collection[str], actor: User, reason: str, at: datetime
) -> User:
    """Let a person in or out and set their groups, audited.

    Raises Forbidden (no platform-admin, one's own row, a superuser's row), GroupUnknown, NotFound, ReasonRequired.
    """
    if not staff_roles.may(actor, "administer"):
        raise Forbidden("only platform-admin changes who may do what")
    if user_id == actor.pk:
        raise Forbidden("nobody changes their own access")
    unknown = set(groups) - set(staff_roles.GROUPS)
    if unknown:
        raise GroupUnknown("there is no such staff group")
    reason = require_reason(reason)
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound("no such user")
    if user.is_superuser:
        raise Forbidden("a superuser's access is changed on the server, not here")
    before = access_of(user)
    user.is_active, user.is_staff = active, staff
    user.save(update_fields=["is_active", "is_staff"])
    user.groups.set(Group.objects.filter(name__in=groups))
    after = {"active": active, "staff": staff, "groups": sorted(groups)}
    record(
        person(actor), "staff.set_access", subject=("user", user.pk), at=at, reason=reason, before=before, after=after
    )
    return user


def access_of(user: User) -> dict[str, object]:
    """What a person may do now."""
    groups = sorted(user.groups.values_list("name", flat=True))
    return {"active": user.is_active, "staff": user.is_staff, "groups": groups}
