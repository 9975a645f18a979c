"""Celery as it is set up: a doorbell that comes back by itself."""

from billing_site.celery import app


def test_a_worker_waits_for_redis_for_as_long_as_it_is_away() -> None:
    """By default it gives up at the hundredth try, within the hour, and takes a served site down with it."""
    assert app.conf.broker_connection_max_retries is None
