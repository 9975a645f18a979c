"""Only platform-admin changes who may do what, never for themselves, and never makes a superuser."""

import pytest
from django.contrib.auth.models import Group

from accounts.errors import Forbidden, NotFound, ReasonRequired
from accounts.models import AuditLog, User
from accounts.staff_access import GroupUnknown, set_access
from tests.cast import NOON, Cast


@pytest.fixture
def patricia(cast: Cast) -> User:
    user = User.objects.create_user("patricia@countinghouse.example", is_staff=True)
    user.groups.set(Group.objects.filter(name="platform-admin"))
    return user


def give(actor: User, user: User, *groups: str, staff: bool = True, reason: str = "joins finance") -> User:
    return set_access(user.pk, active=True, staff=staff, groups=groups, actor=actor, reason=reason, at=NOON)


def test_access_is_set_and_audited(cast: Cast, patricia: User) -> None:
    bob = give(patricia, cast.bob, "finance-viewer")
    assert bob.is_staff
    assert [group.name for group in bob.groups.all()] == ["finance-viewer"]
    row = AuditLog.objects.get(action="staff.set_access")
    assert (row.actor, row.subject_id, row.reason) == (patricia, cast.bob.pk, "joins finance")
    assert row.before == {"active": True, "staff": False, "groups": []}
    give(patricia, cast.bob, staff=False)
    assert not cast.bob.groups.exists()


def test_nobody_else_sets_it(cast: Cast, patricia: User) -> None:
    for actor in (cast.dana, cast.erin, cast.alice):
        with pytest.raises(Forbidden):
            give(actor, cast.bob, "finance-viewer")
    patricia.is_active = False
    patricia.save()
    with pytest.raises(Forbidden):
        give(patricia, cast.bob, "finance-viewer")


def test_one_is_never_ones_own_administrator(cast: Cast, patricia: User) -> None:
    root = User.objects.create_superuser("root@countinghouse.example")
    with pytest.raises(Forbidden):
        give(patricia, patricia, "finance-approver", "finance-operator", "platform-admin")
    with pytest.raises(Forbidden):
        give(root, root, "finance-approver")
    with pytest.raises(Forbidden):
        give(patricia, root)
    assert not AuditLog.objects.filter(action="staff.set_access").exists()


def test_bad_input_changes_nothing(cast: Cast, patricia: User) -> None:
    with pytest.raises(GroupUnknown):
        give(patricia, cast.bob, "superusers")
    with pytest.raises(ReasonRequired):
        give(patricia, cast.bob, "finance-viewer", reason=" ")
    with pytest.raises(NotFound):
        set_access(10**9, active=True, staff=True, groups=(), actor=patricia, reason="nobody", at=NOON)
    cast.bob.refresh_from_db()
    assert not cast.bob.is_staff
