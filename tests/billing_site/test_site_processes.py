"""The group that `serve` runs, with small programs in place of web, worker and beat."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FOREVER = "exec sleep 600"

Launch = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    launched: list[subprocess.Popen[str]] = []

    def start(second: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.billing_site.run_group", str(tmp_path), second],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        launched.append(process)
        return process

    yield start
    for process in launched:
        process.kill()
        process.communicate(timeout=30)


def _wait_for(what: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def _programs(tmp_path: Path) -> list[int]:
    """Pids of the programs, their shells and relays that still run for this test's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(tmp_path).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_stop_signal_ends_all_of_them_in_order(
    launch: Launch, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    launcher = launch(FOREVER)
    assert _wait_for((tmp_path / "lasting.started").exists)
    launcher.send_signal(number)
    output, _ = launcher.communicate(timeout=30)
    assert launcher.returncode == code, output
    assert "announced" in output
    assert (tmp_path / "lasting.stopped").exists()
    assert _programs(tmp_path) == []


def test_a_stop_signal_while_they_start_is_obeyed(launch: Launch, tmp_path: Path) -> None:
    launcher = launch(FOREVER)
    assert _wait_for(lambda: len(_programs(tmp_path)) > 1)
    launcher.send_signal(signal.SIGTERM)
    launcher.communicate(timeout=30)
    assert launcher.returncode == 143
    assert _programs(tmp_path) == []


def test_when_one_ends_the_others_are_stopped_and_its_code_is_told(launch: Launch, tmp_path: Path) -> None:
    launcher = launch(f"while [ ! -e {tmp_path}/lasting.started ]; do sleep 0.05; done; exit 7")
    launcher.communicate(timeout=30)
    assert launcher.returncode == 7
    assert (tmp_path / "lasting.stopped").exists()
    assert _programs(tmp_path) == []


def test_a_killed_launcher_takes_its_programs_with_it(launch: Launch, tmp_path: Path) -> None:
    launcher = launch(FOREVER)
    assert _wait_for((tmp_path / "lasting.started").exists)
    launcher.kill()
    assert _wait_for(lambda: _programs(tmp_path) == [])
    assert (tmp_path / "lasting.stopped").exists()


def test_when_nobody_reads_the_output_any_more_they_stop(launch: Launch, tmp_path: Path) -> None:
    launcher = launch(FOREVER)
    assert _wait_for((tmp_path / "lasting.started").exists)
    assert launcher.stdout is not None
    launcher.stdout.close()
    assert launcher.wait(timeout=30) != 0
    assert _programs(tmp_path) == []
