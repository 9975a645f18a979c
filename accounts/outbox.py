"""The outbox: what happened is written in the transaction in which it happened, and delivered afterwards."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import DateTimeField, Max, Value
from django.db.models.functions import Least, Now
from django.utils.module_loading import import_string

from accounts.correlation import current_correlation_id
from accounts.models import BillingAccount, OutboxDelivery, OutboxMessage

Handler = TypeVar("Handler", bound=Callable[..., None])


def outside(handler: Handler) -> Handler:
    """Mark a handler that acts on the outside (mail, a push, a webhook): the relay runs it with no transaction open,
    at least once. A handler without the mark writes our own tables, exactly once."""
    handler.__dict__["acts_outside"] = True
    return handler


def acts_outside(handler: Callable[..., None]) -> bool:
    """Whether the handler carries the mark of `outside`."""
    return bool(getattr(handler, "acts_outside", False))


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
    return emit_many(topic, [payload], at=at, account=account, organization_id=organization_id)[0]


def emit_many(
    topic: str,
    payloads: Sequence[dict[str, Any]],
    *,
    at: datetime,
    account: BillingAccount | None = None,
    organization_id: int | None = None,
) -> list[OutboxMessage]:
    """As `emit`, for many messages of one topic: as many statements as for one."""
    newest = None
    if account is not None and payloads:
        newest = OutboxMessage.objects.filter(billing_account=account).aggregate(newest=Max("seq"))["newest"] or 0
    return _write(
        OutboxMessage(
            topic=topic,
            payload=payload,
            organization_id=account.organization_id if account else organization_id,
            billing_account=account,
            seq=None if newest is None else newest + number,
            correlation_id=current_correlation_id(),
            occurred_at=at,
        )
        for number, payload in enumerate(payloads, 1)
    )


def emit_each(topic: str, payloads: Mapping[int, dict[str, Any]], *, at: datetime) -> list[OutboxMessage]:
    """One message of a topic for each organization, by its id: as many statements as for one."""
    return _write(
        OutboxMessage(
            topic=topic,
            payload=payload,
            organization_id=organization_id,
            correlation_id=current_correlation_id(),
            occurred_at=at,
        )
        for organization_id, payload in payloads.items()
    )


def _write(unsent: Iterable[OutboxMessage]) -> list[OutboxMessage]:
    """The messages, and a delivery for each route of theirs. Raises KeyError for a topic that no route lists."""
    table, written = routes(), list(unsent)
    handlers = {message.topic: table[message.topic] for message in written}
    messages = OutboxMessage.objects.bulk_create(written)
    OutboxDelivery.objects.bulk_create(
        OutboxDelivery(
            message=message,
            billing_account_id=message.billing_account_id,
            route=route,
            # a test clock may be ahead of the relay's
            next_attempt_at=Least(Value(message.occurred_at, output_field=DateTimeField()), Now()),
        )
        for message in messages
        for route in handlers[message.topic]
    )
    return messages
