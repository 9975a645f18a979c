"""Whose payments customers may start from now on. What was begun with another provider goes on with that one."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import billing_provider, staff_roles
from accounts.audit import person, record, require_reason
from accounts.clock import check_moment
from accounts.errors import Conflict, Forbidden, constraints
from accounts.models import ProviderSwitch, User
from payments import registry
from payments.providers.contract import Provider


@dataclass(frozen=True)
class Before:
    provider: str
    switch: ProviderSwitch | None


def wanted(name: str) -> tuple[Before, Provider]:
    """What holds now, and the provider that would. Raises NotOffered (no such provider), Conflict (`in_force`)."""
    chosen = registry.provider(name)
    switch = billing_provider.newest_switch()
    before = Before(billing_provider.in_force(), switch)
    if chosen.name == before.provider:
        raise Conflict(f"{chosen.label} is in force already", field="provider", code="in_force")
    return before, chosen


@transaction.atomic
def switch_provider(name: str, *, actor: User, reason: str, at: datetime) -> ProviderSwitch:
    """Put a provider in force, for every process from its next request on.

    Raises Forbidden (no platform-admin), NotOffered, Conflict (`in_force`, `switched_meanwhile`), ReasonRequired.
    """
    if not staff_roles.may(actor, "administer"):
        raise Forbidden("only platform-admin switches the provider")
    at, reason = check_moment(at), require_reason(reason)
    before, chosen = wanted(name)
    meanwhile = Conflict("somebody else switched it meanwhile", field="provider", code="switched_meanwhile")
    with constraints({"one_switch_follows_another": meanwhile}), transaction.atomic():
        switch = ProviderSwitch.objects.create(
            provider=chosen.name,
            replaced=before.provider,
            follows=before.switch,
            reason=reason,
            switched_by=actor,
            switched_at=at,
        )
    record(
        person(actor),
        "billing_provider.switch",
        subject=("billing_provider", switch.pk),
        at=at,
        reason=reason,
        before={"provider": before.provider},
        after={"provider": chosen.name},
    )
    return switch
