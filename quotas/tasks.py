"""Doorbells: each task drains what is due now."""

from celery import shared_task

from accounts import clock
from quotas import limits, subscription_clock
from quotas.kubernetes import rings


@shared_task(name="quotas.compute_limits")
def compute_limits() -> int:
    return limits.drain(clock.now())


@shared_task(name="quotas.move_subscriptions")
def move_subscriptions() -> int:
    return subscription_clock.drain(clock.now())


@shared_task(name="quotas.apply_to_cluster")
def apply_to_cluster() -> int:
    return rings.drain(clock.now)


@shared_task(name="quotas.read_cluster")
def read_cluster() -> int:
    return rings.read_cluster(clock.now())
