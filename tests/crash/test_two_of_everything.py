"""Two workers and two beats on one database, with Redis emptied under them: every second is billed once."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import redis
from celery import Celery

from accounts import clock, policy
from billing_site.environment import broker_url
from ledger import accrual
from ledger.models import UsageRecord
from tests.cast import ACTOR
from tests.crash.crew import CHECKOUT
from tests.crash.scene import audit, require_sound_books
from tests.properties.histories import Held, History, Telling
from tests.redis_database import WORKERS, numbered

SECONDS_OF_WORK = 14
CELERY = (sys.executable, "-m", "celery", "--app", "billing_site.celery", "--quiet")


@pytest.fixture
def redis_url() -> str:
    """A logical database of its own in the Redis the suite runs on."""
    return numbered(os.environ["REDIS_URL"], WORKERS + 1 + os.getpid() % 8)


@contextmanager
def running(environment: dict[str, str], beats: Path) -> Iterator[None]:
    worker = ("worker", "--pool=threads", "--concurrency=2", "--without-gossip", "--without-mingle")
    commands = [
        *((*CELERY, *worker, f"--hostname=worker-{n}@%h", "--loglevel=ERROR") for n in (1, 2)),
        *((*CELERY, "beat", f"--schedule={beats / str(n)}", "--pidfile=", "--loglevel=ERROR") for n in (1, 2)),
    ]
    started = [subprocess.Popen(command, cwd=CHECKOUT, env=environment) for command in commands]
    try:
        yield
        assert [process.poll() for process in started] == [None] * 4
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=60)


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 90
    while not what():
        assert time.monotonic() < until, "the workers bill nothing"
        time.sleep(0.2)


def test_two_workers_and_two_beats_bill_every_second_once_while_redis_is_emptied(
    process_environment: dict[str, str], redis_url: str, tmp_path: Path
) -> None:
    tellings = [by_the_second(f"second-{n}", allocations=1 + n % 3) for n in range(8)]
    environment = {**process_environment, "REDIS_URL": redis_url}
    environment.pop("DATABASE_OWNER_URL")
    bell, store = Celery(broker=broker_url(redis_url)), redis.Redis.from_url(redis_url)
    with running(environment, tmp_path):
        wait_for(UsageRecord.objects.exists)
        for tenth in range(SECONDS_OF_WORK * 10):
            bell.send_task("ledger.accrue")
            if tenth % 20 == 19:
                store.flushdb()
            time.sleep(0.1)
        worked_until = clock.now()
    by_workers = audit(tellings, worked_until - timedelta(seconds=6), rung_at=clock.now(), width=1)
    assert by_workers.clean, by_workers
    store.flushdb()
    at = clock.now()
    accrual.drain(at)
    assert audit(tellings, at, width=1).clean
    require_sound_books()
    print(f"\ntwo workers, two beats, Redis emptied {SECONDS_OF_WORK // 2} times: {by_workers}")


def by_the_second(name: str, allocations: int) -> Telling:
    """Allocations that began a while ago and inside a second, on an account of their own, billed each second."""
    began = clock.now() - timedelta(seconds=20, milliseconds=300)
    opened = began - timedelta(hours=1)
    rates = ((opened, Decimal("36.00")),)
    history = History(
        allocations=tuple(
            Held(((began, Decimal(1 + n)), (began + timedelta(seconds=4.5), Decimal("0.7"))), None)
            for n in range(allocations)
        ),
        rates=(rates, rates),
        bindings=((opened, 0),),
        currencies=("USD", "USD"),
        settlements=("prepaid", "postpaid"),
        time_zone="UTC",
    )
    telling = Telling(history, name)
    tenant = telling.organization.pk
    policy.set_value(
        "billing.window_seconds", 1, scope="tenant", scope_id=tenant, actor=ACTOR, reason="test", at=opened
    )
    telling.tell(clock.now())
    return telling
