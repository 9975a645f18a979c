"""`manage.py accrue`, the tick for cron: killed, run again, and asked for what has not happened yet."""

import json
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from accounts import clock
from ledger.balances import balance
from ledger.models import UsageRecord
from quotas.allocations import start
from tests.cast import ACTOR, Cast
from tests.crash.crew import CHECKOUT

HOUR = timedelta(hours=1)


def accrue(environment: dict[str, str], *options: str, **armed: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "accrue", *options],
        cwd=CHECKOUT,
        env={**environment, **armed},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_killed_before_or_after_its_commit_it_bills_each_window_once(
    process_environment: dict[str, str], cast: Cast
) -> None:
    began = clock.now().replace(minute=0, second=0, microsecond=0) - 5 * HOUR
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=began)
    until = ("--at", (began + 3 * HOUR).isoformat())
    for point, windows in (("accrual.after_tick", 0), ("accrual.before_commit", 0), ("accrual.after_commit", 180)):
        dead = accrue(process_environment, *until, CRASHLAB="1", BILLING_FAILPOINTS=f"{point}=kill")
        assert dead.returncode == -signal.SIGKILL, dead.stderr
        assert UsageRecord.objects.count() == windows
    again = accrue(process_environment, *until)
    assert (again.returncode, json.loads(again.stdout)["windows"]) == (0, 0)
    assert UsageRecord.objects.count() == 180
    assert balance(cast.postpaid).amount_minor == -750


def test_a_failpoint_is_nothing_outside_the_crash_lab(process_environment: dict[str, str], cast: Cast) -> None:
    began = clock.now() - HOUR
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=began)
    done = accrue(process_environment, BILLING_FAILPOINTS="accrual.after_tick=kill")
    assert (done.returncode, json.loads(done.stdout)["windows"]) == (0, UsageRecord.objects.count())
    assert UsageRecord.objects.count() >= 59


@pytest.mark.parametrize("moment", ["2199-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "soon", "2026-01-31T12:00:00"])
def test_the_future_and_what_is_no_moment_are_refused(process_environment: dict[str, str], moment: str) -> None:
    refused = accrue(process_environment, "--at", moment)
    assert refused.returncode == 1
    assert "time_invalid" in refused.stderr
    assert "Traceback" not in refused.stderr
