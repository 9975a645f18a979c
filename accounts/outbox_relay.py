"""The relay: claim a due delivery, run its handler, mark it. At least once outside, exactly once in our own tables.

1. Claim the oldest due delivery with FOR UPDATE SKIP LOCKED. A delivery waits while an earlier one of the same
   account and route is pending, so an account's messages arrive in order.
2. A handler that writes our own tables runs inside a savepoint of the claiming transaction: what it writes commits
   with the mark. A relay killed in between loses nothing: the lock goes with it and the row is still pending.
3. A handler marked `outside` runs with no transaction. The claim counts the try, puts off the next one and commits;
   the outcome is marked in a second transaction. A relay killed in between leaves a try that began and never ended;
   the delivery is due again when the time it was held for is over.
4. Where the handler raised, count the try and back off; after 12 tries (about 3 hours) the delivery is dead, is shown
   to staff, and lets the account's later ones pass.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils.module_loading import import_string

from accounts.correlation import bind
from accounts.failpoints import failpoint
from accounts.models import DeliveryState, OutboxDelivery
from accounts.outbox import acts_outside

log = structlog.get_logger(__name__)

MAXIMUM_ATTEMPTS = 12
# Longer than a slow mail server takes for everybody who reads a message: another relay would send it beside us.
HELD = timedelta(minutes=2)
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
    """Deliver what is due at `at`, at most `limit` deliveries; the number handled, failed ones included.

    It has transactions of its own: inside another one it raises RuntimeError.
    """
    handled = 0
    while handled < limit and _deliver_one(at):
        handled += 1
    return handled


def _deliver_one(at: datetime) -> bool:
    with transaction.atomic(durable=True):
        delivery = next(iter(OutboxDelivery.objects.raw(_CLAIM, {"at": at})), None)
        if delivery is None:
            return False
        if delivery.attempts >= MAXIMUM_ATTEMPTS:  # the relay was killed during the last try
            _row(delivery).update(state=DeliveryState.DEAD, finished_at=at)
            return True
        delivery.attempts += 1
        if not _acts_outside(delivery):
            _deliver_inside(delivery, at)
            return True
        _row(delivery).update(
            attempts=delivery.attempts,
            next_attempt_at=at + max(backoff(delivery.attempts), HELD),
            last_error=f"try {delivery.attempts} began and has not ended",
        )
    _deliver_outside(delivery, at)
    return True


def _deliver_inside(delivery: OutboxDelivery, at: datetime) -> None:
    """The handler's writes and the mark commit together."""
    with bind(delivery.message.correlation_id):
        try:
            with transaction.atomic():
                import_string(delivery.route)(delivery.message, at=at)
                connection.check_constraints()  # what would fail the commit fails the try
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is one failed try
            outcome = _failed(delivery, error, at)
        else:
            outcome = _succeeded(at)
    failpoint("relay.before_mark")
    _row(delivery).update(attempts=delivery.attempts, **outcome)


def _deliver_outside(delivery: OutboxDelivery, at: datetime) -> None:
    """No transaction is open while the handler runs. A later try that took over after a long pause has the say about
    a failure; nothing but success undoes success."""
    failpoint("relay.after_claim")
    with bind(delivery.message.correlation_id):
        try:
            import_string(delivery.route)(delivery.message, at=at)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is one failed try
            outcome = _failed(delivery, error, at)
            still_ours = _row(delivery).filter(state=DeliveryState.PENDING, attempts=delivery.attempts)
        else:
            outcome, still_ours = _succeeded(at), _row(delivery).exclude(state=DeliveryState.DELIVERED)
    failpoint("relay.before_mark")
    still_ours.update(**outcome)


def _acts_outside(delivery: OutboxDelivery) -> bool:
    try:
        return acts_outside(import_string(delivery.route))
    except Exception:  # noqa: BLE001 - a handler that cannot be loaded fails when it is tried
        return False


def _row(delivery: OutboxDelivery) -> Any:
    return OutboxDelivery.objects.filter(pk=delivery.pk)


def _succeeded(at: datetime) -> dict[str, Any]:
    return {"state": DeliveryState.DELIVERED, "finished_at": at, "last_error": ""}


def _failed(delivery: OutboxDelivery, error: Exception, at: datetime) -> dict[str, Any]:
    log.error("outbox_delivery_failed", delivery=delivery.pk, route=delivery.route, attempts=delivery.attempts)
    # PostgreSQL stores neither NUL nor half a surrogate pair, and a text it refuses would lose the count of tries.
    text = f"{type(error).__name__}: {error}".encode("utf-8", "replace").decode().replace("\x00", "?")[:2000]
    if delivery.attempts >= MAXIMUM_ATTEMPTS:
        return {"state": DeliveryState.DEAD, "finished_at": at, "last_error": text}
    return {"next_attempt_at": at + backoff(delivery.attempts), "last_error": text}
