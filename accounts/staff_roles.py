"""What each staff group may do. Superusers may do everything, but never decide what they asked for."""

from accounts.models import User

GROUPS = ("finance-viewer", "finance-operator", "finance-approver", "platform-admin")

ABILITIES: dict[str, frozenset[str]] = {
    "view": frozenset(GROUPS),
    "operate": frozenset({"finance-operator"}),
    "approve": frozenset({"finance-approver"}),
    "administer": frozenset({"platform-admin"}),
}


def may(user: User, ability: str) -> bool:
    """Whether an active member of staff holds an ability (view, operate, approve, administer), read now."""
    if not (user.is_active and user.is_staff):
        return False
    if user.is_superuser:
        return True
    return user.groups.filter(name__in=ABILITIES[ability]).exists()
