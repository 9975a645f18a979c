"""What each staff group may do. Superusers may do everything, but never decide what they asked for."""

from accounts.models import User

GROUPS = ("finance-viewer", "finance-operator", "finance-approver", "platform-admin")

ABILITIES: dict[str, frozenset[str]] = {
    "view": frozenset(GROUPS),
    "operate": frozenset({"finance-operator"}),
    "approve": frozenset({"finance-approver"}),
    "administer": frozenset({"platform-admin"}),
    "identify": frozenset({"finance-operator", "finance-approver", "platform-admin"}),  # see who customers are
}


def may(user: User, ability: str) -> bool:
    """Whether an active member of staff holds an ability (view, operate, approve, administer, identify), read now."""
    if not (user.is_active and user.is_staff):
        return False
    if user.is_superuser:
        return True
    return user.groups.filter(name__in=ABILITIES[ability]).exists()


def abilities_of(user: User) -> dict[str, bool]:
    """Every ability and whether the person holds it, read now and at once."""
    if not (user.is_active and user.is_staff):
        return dict.fromkeys(ABILITIES, False)
    if user.is_superuser:
        return dict.fromkeys(ABILITIES, True)
    held = set(user.groups.values_list("name", flat=True))
    return {ability: bool(names & held) for ability, names in ABILITIES.items()}
