"""Whom this room lets policies be set and asked for: plans, and allocations, which have their project's."""

from dataclasses import replace

from accounts.policy_scopes import Subject
from accounts.policy_subjects import project_subject
from quotas.models import Allocation, CatalogItem, ItemKind, Subscription


def allocation_subject(key: int) -> Subject | None:
    allocation = Allocation.objects.select_related("project__organization").filter(pk=key).first()
    if allocation is None:
        return None
    project = project_subject(allocation.project)
    return replace(
        project, word="allocation", public_id=allocation.public_id, name=f"{allocation} of {project}", own=None
    )


def plan_exists(key: int) -> bool:
    return CatalogItem.objects.filter(pk=key, kind=ItemKind.PLAN).exists()


def plan_name(key: int) -> str:
    """Its code: names change from version to version."""
    return CatalogItem.objects.get(pk=key).code


def plan_of(organization_id: int) -> int | None:
    """The plan an organization holds, or None."""
    return Subscription.objects.filter(organization_id=organization_id).values_list("plan_id", flat=True).first()
