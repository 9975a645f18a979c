"""Doorbells: each task drains what is due now."""

from celery import shared_task

from accounts import approvals, clock, event_feed, idempotency, outbox_relay

MOST_DELIVERIES = 10_000


@shared_task(name="accounts.relay_outbox")
def relay_outbox() -> int:
    """Each delivery at a moment of its own: behind a slow mail server the last would be held until a time long past."""
    handled = 0
    while handled < MOST_DELIVERIES and outbox_relay.drain(clock.now(), limit=1):
        handled += 1
    return handled


@shared_task(name="accounts.number_events")
def number_events() -> int:
    return event_feed.number_committed()


@shared_task(name="accounts.expire_approvals")
def expire_approvals() -> int:
    return approvals.expire_due(clock.now())


@shared_task(name="accounts.forget_idempotency_records")
def forget_idempotency_records() -> int:
    return idempotency.forget_old(clock.now())
