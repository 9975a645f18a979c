"""The outbox: what happened is written in the transaction in which it happened, and delivered afterwards."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils.module_loading import import_string

from accounts.correlation import current_correlation_id
from accounts.models import BillingAccount, OutboxDelivery, OutboxMessage


def routes() -> Mapping[str, tuple[str, ...]]:
    """Topic → dotted paths of handlers, from the one file that knows both ends."""
    table: Mapping[str, tuple[str, ...]] = import_string(settings.OUTBOX_ROUTES)
    return table


def emit(
    topic: str,
    payload: dict[str, Any],
    *,
    at: datetime,
    account: BillingAccount | None = None,
    organization_id: int | None = None,
) -> OutboxMessage:
    """Write a message and its deliveries in the caller's transaction.

    With an account, the caller holds its lock, so `seq` and ids of an account rise in commit order. A topic that
    no route lists is a programming error and raises KeyError before anything is written.
    """
    handlers = routes()[topic]
    seq = None
    if account is not None:
        newest = OutboxMessage.objects.filter(billing_account=account).aggregate(newest=Max("seq"))["newest"]
        seq = (newest or 0) + 1
    message = OutboxMessage.objects.create(
        topic=topic,
        payload=payload,
        organization_id=account.organization_id if account else organization_id,
        billing_account=account,
        seq=seq,
        correlation_id=current_correlation_id(),
        occurred_at=at,
    )
    OutboxDelivery.objects.bulk_create(
        OutboxDelivery(message=message, billing_account=account, route=route, next_attempt_at=at) for route in handlers
    )
    return message
