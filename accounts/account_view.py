"""A billing account as programs read it, in the words of seed 000: phase, terms, details, conditions, linked projects.

Personal data is masked as on pages; moments are RFC 3339 in UTC.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from accounts import enforcement
from accounts.account_quota import quota_of
from accounts.billing_details import details_of
from accounts.bindings import linked_projects
from accounts.models import BillingAccount
from accounts.payment_terms import terms_of
from accounts.personal_data import masked_details


def view_of(account: BillingAccount) -> dict[str, Any]:
    """What this room knows of an account; its balance is another room's."""
    quota = quota_of(account.organization)
    return {
        "account": account.public_id,
        "name": account.name,
        "organization": account.organization.public_id,
        "organization_quota": {"used": quota.used, "allowed": quota.allowed},
        "legal_entity": account.legal_entity.public_id,
        "currency": account.currency,
        "settlement": account.settlement,
        "phase": account.phase,
        "payment_terms": asdict(terms_of(account)),
        "time_zone": account.time_zone,
        **_details(account),
        "linked_projects_count": linked_projects([account.pk])[account.pk],
        "conditions": [
            {
                "type": row.type,
                "status": row.status,
                "reason": row.reason,
                "message": row.message,
                "last_transition_at": _moment(row.last_transition_at),
            }
            for row in account.conditions.order_by("type")
        ],
        "enforcement": {
            "level": enforcement.level(account.pk),
            "reasons": [
                {"source": row.source, "level": row.level, "why": row.why, "since": _moment(row.since)}
                for row in account.enforcement_reasons.filter(closed_at=None).order_by("since", "pk")
            ],
        },
        "created_at": _moment(account.created_at),
        "deleted_at": _moment(account.deleted_at),
    }


def _details(account: BillingAccount) -> dict[str, Any]:
    details = masked_details(details_of(account))
    return {
        "contact": asdict(details.contact) if details.contact else None,
        "invoice_emails": list(details.invoice_emails),
        "address": asdict(details.address) if details.address else None,
        "tax_ids": [{"type": type_, "value": value} for type_, value in details.tax_ids],
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
