"""A real worker and a real beat note their rings; when either is gone, the runbook says which."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import redis
from django.test import override_settings

from accounts import clock
from accounts.models import Doorbell
from billing_site.back_office.runbooks import accrual_wedged
from tests.crash.crew import CHECKOUT
from tests.crash.test_two_of_everything import CELERY, redis_url

__all__ = ["redis_url"]
WORKER = (*CELERY, "worker", "--pool=threads", "--concurrency=2", "--without-gossip", "--without-mingle")


@contextmanager
def running(environment: dict[str, str], *command: str) -> Iterator[None]:
    process = subprocess.Popen([*command, "--loglevel=ERROR"], cwd=CHECKOUT, env=environment)
    try:
        yield
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 90
    while not what():
        assert time.monotonic() < until
        time.sleep(0.2)


def cause() -> list[str]:
    """What the page says two minutes from now, if nothing rings until then."""
    reading = accrual_wedged.read(clock.now() + timedelta(minutes=2))
    return [cause.title for cause in reading.causes if "run" in cause.title]


def test_a_dead_worker_is_told_from_a_dead_beat(
    process_environment: dict[str, str], redis_url: str, tmp_path: Path
) -> None:
    environment = {**process_environment, "REDIS_URL": redis_url}
    environment.pop("DATABASE_OWNER_URL")
    store = redis.Redis.from_url(redis_url)
    store.flushdb()
    with override_settings(REDIS_URL=redis_url):
        with running(environment, *CELERY, "beat", f"--schedule={tmp_path / 'beat'}", "--pidfile="):
            with running(environment, *WORKER):
                wait_for(Doorbell.objects.filter(task="ledger.accrue", answered_at__isnull=False, error="").exists)
                wait_for(Doorbell.objects.filter(task="accounts.relay_outbox", answered_at__isnull=False).exists)
                assert accrual_wedged.read(clock.now()).tone == "calm"
            wait_for(lambda: int(store.llen("celery")) > 0)  # type: ignore[arg-type]
            assert cause() == ["The worker does not run"]
        store.flushdb()
        assert cause() == ["Beat does not run"]
