"""What `serve` refuses before it starts anything, and what it hands to the programs it runs."""

import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery.beat import PersistentScheduler
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from pytest_django.fixtures import Settings

from billing_site.management.commands import serve


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_a_taken_port_is_said_plainly_with_the_option_that_helps(taken_port: int) -> None:
    with pytest.raises(CommandError, match=rf"port {taken_port} cannot be used .*choose another with --port"):
        call_command("serve", port=taken_port, metrics_port=1)


def test_a_port_taken_for_all_addresses_counts_as_taken() -> None:
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CommandError, match="cannot be used"):
            serve._require_free(port, "--metrics-port")


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(CommandError, match="cannot be used"):
        call_command("serve", port=port, metrics_port=9100)


def test_metrics_need_a_port_of_their_own() -> None:
    with pytest.raises(CommandError, match="a port of its own"):
        call_command("serve", port=8000, metrics_port=8000)


def test_no_program_is_given_the_owners_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner@/db")
    monkeypatch.setenv("PORT", "8001")
    handed_down = serve._child_environment(1)
    assert "DATABASE_OWNER_URL" not in handed_down
    assert handed_down["PORT"] == "8001"


def test_the_site_answers_once_anything_is_said_over_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 503 Not yet\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        threading.Thread(target=refuse, daemon=True).start()
        assert serve._answers(server.getsockname()[1]) is True


def test_what_the_demo_prints_is_shown_at_once_and_kept_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()

    def demo(name: str, stdout: io.StringIO) -> None:
        assert name == "demo"
        OutputWrapper(stdout).write("log in as finance@example.com")
        assert shown.getvalue() == "log in as finance@example.com\n"

    monkeypatch.setattr(serve, "call_command", demo)
    assert serve.Command(stdout=shown)._lay_demo() == "log in as finance@example.com\n"


def test_a_spoiled_beat_state_is_dropped_and_a_sound_one_kept(settings: Settings, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    path = serve._beat_state(8000)
    app = Celery("beat", set_as_current=False)
    app.conf.beat_schedule = {"ring": {"task": "ring", "schedule": 3600}}
    beat = PersistentScheduler(app, schedule_filename=str(path))
    beat.schedule["ring"].total_run_count = 41
    beat.close()
    assert serve._beat_state(8000) == path
    assert PersistentScheduler(app, schedule_filename=str(path)).schedule["ring"].total_run_count == 41
    files = list(path.parent.glob("beat-*"))
    for file in files:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    serve._beat_state(8000)
    assert PersistentScheduler(app, schedule_filename=str(path)).schedule["ring"].total_run_count == 0


def test_two_sites_of_one_clone_do_not_share_beats_state(settings: Settings, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    assert serve._beat_state(8000) != serve._beat_state(8001)
