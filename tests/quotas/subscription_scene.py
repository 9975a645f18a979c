"""Organizations with plans, as tests of subscriptions and limits begin."""

from typing import Any

from django.db import connection

from accounts.models import Organization, PolicyValue
from quotas.models import Limit, LimitKind, Subscription
from quotas.subscriptions import assign_plan
from quotas.subscriptions import move as move_subscription
from tests.cast import ACTOR, BEGINNING, NOON

REASON = "for a test"
BY: dict[str, Any] = {"actor": ACTOR, "reason": REASON}


def assign(organization: Organization, plan: str, /, addons: dict[str, int] | None = None, **more: Any) -> Subscription:
    return assign_plan(organization, plan, addons or {}, **{"at": NOON, **BY, **more})


def move(subscription: Subscription, status: str, /, **more: Any) -> Subscription:
    return move_subscription(subscription.pk, status, **{"at": NOON, **BY, **more})


def limits(organization: Organization) -> dict[str, Limit]:
    """By kind, the projects' own left out."""
    return {row.kind: row for row in Limit.objects.filter(organization=organization, project=None)}


def hard(organization: Organization) -> dict[str, str]:
    """The values of `plan-quota`, as the cluster has them."""
    values: dict[str, str] = limits(organization)[LimitKind.HIERARCHICAL_RESOURCE_QUOTA].values
    return values


def requests(organization: Organization) -> tuple[str, str, str]:
    """CPU, memory, storage."""
    found = hard(organization)
    return found["requests.cpu"], found["requests.memory"], found["requests.storage"]


def one_person_publishes() -> None:
    """Only the owner of the database could set this alone; here the row is written beneath the act."""
    PolicyValue.objects.create(
        key="approvals.catalog_publication", value=False, scope="global", scope_id=None, updated_at=BEGINNING
    )


def due() -> set[int]:
    """Organizations whose limits are marked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id FROM limits_due")
        return {key for (key,) in cursor.fetchall()}
