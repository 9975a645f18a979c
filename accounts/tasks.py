"""Doorbells: each task drains what is due now."""

from celery import shared_task

from accounts import approvals, clock, outbox_relay


@shared_task(name="accounts.relay_outbox")
def relay_outbox() -> int:
    return outbox_relay.drain(clock.now())


@shared_task(name="accounts.expire_approvals")
def expire_approvals() -> int:
    return approvals.expire_due(clock.now())
