"""Doorbells: each task drains what is due now."""

from celery import shared_task

from accounts import clock
from quotas import limits, subscription_clock


@shared_task(name="quotas.compute_limits")
def compute_limits() -> int:
    return limits.drain(clock.now())


@shared_task(name="quotas.move_subscriptions")
def move_subscriptions() -> int:
    return subscription_clock.drain(clock.now())
