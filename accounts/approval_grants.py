"""Whether an approval lets exactly this act pass: read from the database, granted once, not yet spent."""

from typing import Any

from accounts.models import ApprovalRequest, ApprovalState


def grants(approval: ApprovalRequest | None, act: str, payload: dict[str, Any]) -> bool:
    """True for an approved request of this act and payload whose result is not written yet."""
    if approval is None:
        return False
    approved = ApprovalRequest.objects.filter(pk=approval.pk, act=act, payload=payload)
    return approved.filter(state=ApprovalState.APPROVED, result__isnull=True).exists()
