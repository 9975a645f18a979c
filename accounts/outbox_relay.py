"""The relay: claim a due delivery, run its handler, mark it, all in one transaction; at least once for the outside.

1. Claim the oldest due delivery with FOR UPDATE SKIP LOCKED. A delivery waits while an earlier one of the same
   account and route is pending, so an account's messages arrive in order.
2. Run the handler inside a savepoint. What it writes commits with the mark: exactly once for our own tables.
3. Mark delivered; or, where the handler raised, undo its writes, count the try and back off; after 12 tries
   (about 3 hours) the delivery is dead, is shown to staff, and lets the account's later ones pass.
A relay killed in between loses nothing: the lock goes with it and the row is still pending.
"""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils.module_loading import import_string

from accounts.correlation import bind
from accounts.failpoints import failpoint
from accounts.models import DeliveryState, OutboxDelivery

log = structlog.get_logger(__name__)

MAXIMUM_ATTEMPTS = 12
_FIRST_DELAY_SECONDS = 7
_LONGEST_DELAY_SECONDS = 3600

_CLAIM = """
SELECT d.* FROM outbox_deliveries d
WHERE d.state = 'pending' AND d.next_attempt_at <= %(at)s
  AND NOT EXISTS (
      SELECT FROM outbox_deliveries e
      WHERE e.state = 'pending' AND e.route = d.route AND e.billing_account_id = d.billing_account_id AND e.id < d.id
  )
ORDER BY d.id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


def backoff(attempts: int) -> timedelta:
    """How long to wait after that many failed tries: 7 s, doubling, an hour at most."""
    return timedelta(seconds=min(_FIRST_DELAY_SECONDS * 2 ** (attempts - 1), _LONGEST_DELAY_SECONDS))


def drain(at: datetime, *, limit: int = 10_000) -> int:
    """Deliver what is due at `at`, at most `limit` deliveries; the number handled, failed ones included."""
    handled = 0
    while handled < limit and _deliver_one(at):
        handled += 1
    return handled


def _deliver_one(at: datetime) -> bool:
    with transaction.atomic():
        delivery = next(iter(OutboxDelivery.objects.raw(_CLAIM, {"at": at})), None)
        if delivery is None:
            return False
        with bind(delivery.message.correlation_id):
            _attempt(delivery, at)
        failpoint("relay.before_mark")
        delivery.save(update_fields=["state", "attempts", "next_attempt_at", "last_error", "finished_at"])
    return True


def _attempt(delivery: OutboxDelivery, at: datetime) -> None:
    delivery.attempts += 1
    try:
        with transaction.atomic():
            import_string(delivery.route)(delivery.message, at=at)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is one failed try
        log.error("outbox_delivery_failed", delivery=delivery.pk, route=delivery.route, attempts=delivery.attempts)
        delivery.last_error = f"{type(error).__name__}: {error}"[:2000]
        if delivery.attempts >= MAXIMUM_ATTEMPTS:
            delivery.state, delivery.finished_at = DeliveryState.DEAD, at
        else:
            delivery.next_attempt_at = at + backoff(delivery.attempts)
    else:
        delivery.state, delivery.finished_at, delivery.last_error = DeliveryState.DELIVERED, at, ""
