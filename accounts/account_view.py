"""A billing account as programs read it, in the words of seed 000: phase, terms, details, conditions, linked projects.

Personal data is masked as on pages unless `in_full` is asked for; moments are RFC 3339 in UTC. Its balance is another
room's.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts import account_phases, enforcement
from accounts.billing_details import Details, details_of, with_details
from accounts.models import (
    BillingAccount,
    BillingAccountBinding,
    BindingPhase,
    Condition,
    EnforcementReason,
    LegalEntity,
    Organization,
)
from accounts.payment_terms import terms_of
from accounts.personal_data import masked_details
from accounts.public_ids import encode


def to_be_read(accounts: QuerySet[BillingAccount]) -> QuerySet[BillingAccount]:
    """Accounts with all that `view_of` tells of them, in three queries however many."""
    bound = BillingAccountBinding.objects.filter(billing_account=OuterRef("pk"), phase=BindingPhase.ACTIVE)
    counted = bound.order_by().values("billing_account").annotate(projects=Count("pk")).values("projects")
    reasons = EnforcementReason.objects.filter(closed_at=None).order_by("since", "pk")
    return (
        with_details(accounts)
        .annotate(linked_projects=Coalesce(Subquery(counted), 0))
        .prefetch_related(
            Prefetch("conditions", Condition.objects.order_by("type"), to_attr="known_conditions"),
            Prefetch("enforcement_reasons", reasons, to_attr="open_reasons"),
        )
    )


def view_of(account: Any, *, in_full: bool = False, for_staff: bool = True) -> dict[str, Any]:
    """What this room knows of an account that `to_be_read` gave; what staff noted is for staff."""
    details = details_of(account)
    return {
        "id": account.public_id,
        "external_id": account.external_id,
        "organization": encode(Organization.PUBLIC_PREFIX, account.organization_id),
        "legal_entity": encode(LegalEntity.PUBLIC_PREFIX, account.legal_entity_id),
        "name": account.name,
        "currency": account.currency,
        "settlement": account.settlement,
        "phase": account.phase,
        "payment_terms": asdict(terms_of(account)),
        "time_zone": account.time_zone,
        **_details(details if in_full else masked_details(details)),
        "linked_projects_count": account.linked_projects,
        "conditions": [_condition(row) for row in account.known_conditions],
        "enforcement": {
            "level": enforcement.worst(row.level for row in account.open_reasons),
            "reasons": [_reason(row, for_staff) for row in account.open_reasons],
        },
        "created_at": _moment(account.created_at),
        "deleted_at": _moment(account.deleted_at),
    }


def _details(details: Details) -> dict[str, Any]:
    return {
        "contact": asdict(details.contact) if details.contact else None,
        "invoice_emails": list(details.invoice_emails),
        "address": asdict(details.address) if details.address else None,
        "tax_ids": [{"type": type_, "value": value} for type_, value in details.tax_ids],
    }


def _condition(row: Condition) -> dict[str, Any]:
    return {
        "type": row.type,
        "status": row.status,
        "reason": row.reason,
        "message": row.message,
        "last_transition_at": _moment(row.last_transition_at),
    }


def _reason(row: EnforcementReason, for_staff: bool) -> dict[str, Any]:
    """The words of a change of phase are those that staff noted."""
    told = for_staff or row.source != account_phases.SOURCE
    why = row.why if told else None
    return {"source": row.source, "level": row.level, "why": why, "since": _moment(row.since)}


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
