"""Addresses of organizations. Public ones count against the plan's limit; where it has none, nothing is enforced."""

from datetime import datetime

from django.db import transaction

from accounts.audit import Actor, optional_reason, record
from accounts.clock import check_moment
from accounts.errors import Conflict, DomainError, NotFound, constraints
from accounts.locking import lock_open_organization, lock_organization
from accounts.models import Organization, Project
from quotas.models import ExternalIp, Limit, LimitKind, NetworkType


@transaction.atomic
def hold_address(
    organization: Organization,
    name: str,
    network_type: str,
    *,
    project: Project | None = None,
    actor: Actor,
    reason: str | None = None,
    at: datetime,
) -> ExternalIp:
    """Let an organization hold an address. Raises Conflict (`eip_quota_exceeded`, `name_taken`), NotFound, DomainError
    (`network_type_unknown`, `name_invalid`), TimeInvalid, ReasonRequired."""
    at, reason = check_moment(at), optional_reason(reason)
    if network_type not in NetworkType.values:
        words = " or ".join(NetworkType.values)
        raise DomainError(f"an address is {words}", field="network_type", code="network_type_unknown")
    if project is not None and project.organization_id != organization.pk:
        raise NotFound("no such project", field="project")
    if not 1 <= len(name) <= 63:
        raise DomainError("name it, in up to 63 characters", field="name", code="name_invalid")
    lock_open_organization(organization.pk)
    limit = public_limit(organization) if network_type == NetworkType.PUBLIC else None
    if limit is not None and public_held(organization) >= limit:
        full = f"the organization holds all {limit} public addresses of its plan"
        raise Conflict(full, field="network_type", code="eip_quota_exceeded")
    taken = Conflict("an address of that name is held", field="name", code="name_taken")
    with transaction.atomic(), constraints({"external_ip_name_once_while_held": taken}):
        address = ExternalIp.objects.create(
            organization=organization, project=project, name=name, network_type=network_type, created_at=at
        )
    _tell(address, "external_ip.hold", actor, reason, at)
    return address


@transaction.atomic
def release_address(
    address_id: int, organization: Organization, *, actor: Actor, reason: str | None = None, at: datetime
) -> ExternalIp:
    """Give an address back. Raises NotFound, Conflict (`already_released`), TimeInvalid, ReasonRequired."""
    at, reason = check_moment(at), optional_reason(reason)
    lock_organization(organization.pk)
    address = ExternalIp.objects.filter(pk=address_id, organization=organization).first()
    if address is None:
        raise NotFound("no such address", field="external_ip")
    if address.released_at is not None:
        raise Conflict("the address is released already", field="external_ip", code="already_released")
    address.released_at = max(at, address.created_at)
    address.save(update_fields=["released_at"])
    _tell(address, "external_ip.release", actor, reason, at)
    return address


def public_held(organization: Organization) -> int:
    """How many public addresses it holds now, with those of its projects."""
    held = ExternalIp.objects.filter(organization=organization, network_type=NetworkType.PUBLIC, released_at=None)
    return held.count()


def public_limit(organization: Organization) -> int | None:
    """How many it may hold; None where that is not enforced."""
    limit = Limit.objects.filter(organization=organization, kind=LimitKind.EXTERNAL_IPS).first()
    return int(limit.values["public"]) if limit else None


def _tell(address: ExternalIp, action: str, actor: Actor, reason: str, at: datetime) -> None:
    record(
        actor,
        action,
        subject=("external_ip", address.pk),
        organization_id=address.organization_id,
        at=at,
        reason=reason,
        after={"name": address.name, "network_type": address.network_type},
    )
