"""What others write on an organization in the cluster is followed where there is no payment provider.

With a provider the rows decide, and what was written there is put right. An instruction that cannot be followed stays
where it is with our reason on the row, until it, the catalog or our own rows change; our own change then wins.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import billing_provider
from accounts.audit import system
from accounts.errors import Conflict, DomainError
from accounts.locking import lock_open_organization
from accounts.models import Organization
from quotas.catalog_in_force import newest
from quotas.kubernetes import annotations, queue
from quotas.kubernetes.annotations import Instruction
from quotas.kubernetes.cluster import Object
from quotas.kubernetes.wanted import standing_of
from quotas.models import ClusterSync, Subscription
from quotas.subscription_states import MOVES
from quotas.subscriptions import assign_plan, move

ACTOR = system("cluster")
REASON = "annotations of the organization in the cluster"


@dataclass(frozen=True)
class Refusal:
    """Why an instruction was not followed; it `stands` in the cluster until something changes."""

    why: str = ""
    digest: str = ""

    @property
    def stands(self) -> bool:
        return bool(self.why)


NOTHING = Refusal()


def obeys() -> bool:
    """Whether the cluster may instruct us at all."""
    return billing_provider.in_force() == "none"


def follow(row: ClusterSync, organization: Organization, home: Object, *, at: datetime) -> Refusal:
    """Do what the annotations ask for, where somebody else wrote them. In a transaction of its own."""
    noted = home["metadata"].get("annotations") or {}
    if not obeys() or not annotations.instructs(noted):
        return NOTHING
    asked, ours, catalog = annotations.digest(annotations.said(noted)), _own_digest(organization), _catalog_number()
    refused = row.refused_digest.split(":")
    if refused == [asked, ours, catalog]:
        return Refusal(row.refused, row.refused_digest)
    if row.followed_digest == asked:
        return NOTHING  # the cluster has not heard our answer yet
    if refused[0] == asked and refused[1:2] != [ours]:
        return NOTHING  # our rows changed since it was refused: they are the newer wish
    try:
        with transaction.atomic():
            _carry_out(organization, annotations.instruction(noted), at)
            queue.note_followed(row, asked)
    except DomainError as error:
        why = ": ".join(filter(None, (error.code, error.field, error.detail)))
        return Refusal(why, ":".join((asked, ours, catalog)))
    return NOTHING


def _carry_out(organization: Organization, wish: Instruction, at: datetime) -> None:
    lock_open_organization(organization.pk)
    subscription = Subscription.objects.filter(organization=organization).first()
    standing = standing_of(subscription) if subscription else None
    if subscription is None or standing is None or (standing.plan_id, standing.addons) != (wish.plan_id, wish.addons):
        subscription = assign_plan(organization, wish.plan_id, dict(wish.addons), actor=ACTOR, reason=REASON, at=at)
    for status in _way(subscription.status, wish.status):
        move(subscription.pk, status, actor=ACTOR, reason=REASON, at=at)


def _way(now: str, wanted: str) -> list[str]:
    """The shortest way from state to state that the machine allows. Raises Conflict (`wrong_status`)."""
    ways: dict[str, list[str]] = {now: []}
    reached = [now]
    for state in reached:
        for following in sorted(MOVES[state]):
            if following not in ways:
                ways[following] = [*ways[state], following]
                reached.append(following)
    if wanted not in ways:
        raise Conflict(f"a subscription does not go from {now} to {wanted}", field="subscription", code="wrong_status")
    return ways[wanted]


def _own_digest(organization: Organization) -> str:
    subscription = Subscription.objects.filter(organization=organization).first()
    ours = annotations.written(standing_of(subscription) if subscription else None)
    return ours[annotations.DIGEST] or "none"


def _catalog_number() -> str:
    current = newest()
    return str(current.number) if current else "none"
