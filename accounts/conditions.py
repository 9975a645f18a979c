"""Conditions: type, status, reason, message about an account; written by the room that knows, read by anyone."""

from datetime import datetime

from accounts.models import Condition, ConditionStatus


def set_condition(
    account_id: int, type_: str, *, status: ConditionStatus, reason: str, message: str = "", at: datetime
) -> bool:
    """State a condition in the caller's transaction; True where status or reason changed."""
    condition, created = Condition.objects.get_or_create(
        billing_account_id=account_id,
        type=type_,
        defaults={"status": status, "reason": reason, "message": message, "last_transition_at": at},
    )
    if created:
        return True
    changed = (condition.status, condition.reason) != (status, reason)
    if changed or condition.message != message:
        if condition.status != status:
            condition.last_transition_at = at
        condition.status, condition.reason, condition.message = status, reason, message
        condition.save()
    return changed
