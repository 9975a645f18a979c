"""Liveness, readiness and the figures: what each answers when a part is gone, and on which port."""

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings

from billing_site.roles import application_role, as_owner

ROOT = Path(__file__).resolve().parents[2]


def ready() -> tuple[int, set[str], float]:
    """The status, the checks that fail, and how long the answer took."""
    started = time.monotonic()
    response = Client().get("/readyz")
    body: dict[str, Any] = response.json()
    assert (body["status"] == "ready") == (response.status_code == 200) == (body["failing"] == [])
    assert all(fault["hint"] for fault in body["failing"])
    assert application_role() not in response.content.decode()
    return response.status_code, {fault["check"] for fault in body["failing"]}, time.monotonic() - started


def ready_with(redis_url: str) -> tuple[int, set[str], float]:
    with override_settings(REDIS_URL=redis_url):
        return ready()


@pytest.mark.django_db
def test_a_sound_site_is_ready() -> None:
    assert ready()[:2] == (200, set())


def test_a_process_without_a_database_is_alive_and_not_ready(no_database: None) -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}
    status, failing, seconds = ready()
    assert (status, failing) == (503, {"countinghouse.E004", "migrations"})
    assert seconds < 2


@pytest.mark.django_db
def test_liveness_asks_the_database_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/healthz").status_code == 200


@pytest.mark.django_db
def test_without_redis_it_is_not_ready() -> None:
    assert ready_with("redis://127.0.0.1:1/0")[:2] == (503, {"redis"})


@pytest.mark.django_db
def test_a_redis_that_never_answers_is_given_a_second() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        status, failing, seconds = ready_with(f"redis://127.0.0.1:{mute.getsockname()[1]}/0")
    assert (status, failing) == (503, {"redis"})
    assert seconds < 1.5


def test_a_migration_that_waits_is_found(committed_db: str) -> None:
    assert ready()[:2] == (200, set())
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'ledger' AND name LIKE '0002%'")
    assert ready()[:2] == (503, {"migrations"})


def test_a_fault_of_the_start_is_a_fault_of_readiness(committed_db: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER entries_are_whole ON ledger_entries")
    assert ready()[:2] == (503, {"countinghouse.E007"})


def test_serving_as_the_owner_is_not_ready(committed_db: str) -> None:
    with as_owner():
        response = Client().get("/readyz")
    assert "countinghouse.E010" in {fault["check"] for fault in response.json()["failing"]}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_probes_only_read(path: str, method: str) -> None:
    assert getattr(Client(), method)(path).status_code == 405


@pytest.mark.django_db
def test_figures_are_for_the_metrics_port_only() -> None:
    with override_settings(METRICS_PORT=9100):
        client = Client()
        assert client.get("/metrics", SERVER_PORT="8000").status_code == 404
        assert client.get("/metrics", SERVER_PORT="8000", headers={"host": "localhost:9100"}).status_code == 404
        assert client.get("/metrics", SERVER_PORT="9100", REMOTE_ADDR="").status_code == 404
        assert client.get("/metrics", SERVER_PORT="9100").status_code == 200


@pytest.mark.django_db
def test_probes_come_by_any_address_and_pages_by_the_sites_names() -> None:
    by_pod = {"host": "10.0.7.21:8000"}
    with override_settings(ALLOWED_HOSTS=["billing.example"], METRICS_PORT=9100):
        assert Client().get("/healthz", headers=by_pod).status_code == 200
        assert Client().get("/readyz", headers=by_pod).status_code == 200
        assert Client().get("/metrics", headers=by_pod, SERVER_PORT="9100").status_code == 200
        assert Client().get("/metrics", headers=by_pod, SERVER_PORT="8000").status_code == 404
        for page in ("/", "/sign-in/", "/admin/", "/api/v1/allocations", "/healthz/"):
            assert Client().get(page, headers=by_pod).status_code == 400


@pytest.mark.django_db
def test_figures_are_prometheus_text() -> None:
    response = Client().get("/metrics", SERVER_PORT="9100")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    figures = dict(re.findall(r"^(countinghouse_\w+) (\S+)$", response.content.decode(), re.MULTILINE))
    assert figures["countinghouse_database_up"] == "1.0"
    assert {
        "countinghouse_accrual_lag_seconds",
        "countinghouse_accrual_parked_accounts",
        "countinghouse_outbox_pending",
        "countinghouse_outbox_oldest_pending_seconds",
        "countinghouse_outbox_dead_letters",
    } <= figures.keys()


def test_figures_say_that_the_database_is_gone(no_database: None) -> None:
    response = Client().get("/metrics", SERVER_PORT="9100")
    assert response.status_code == 200
    assert "countinghouse_database_up 0.0" in response.content.decode()
    assert "countinghouse_outbox_pending" not in response.content.decode()


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def get(port: int, path: str, host: str = "localhost") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_served_site_answers_on_its_two_ports(process_environment: dict[str, str]) -> None:
    public, private = free_ports(2)
    process_environment.pop("DATABASE_OWNER_URL")
    served = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "billing_site.wsgi", "--no-control-socket"),
            *(f"--bind=127.0.0.1:{public}", f"--bind=127.0.0.1:{private}"),
        ],
        cwd=ROOT,
        env={**process_environment, "METRICS_PORT": str(private)},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(public)
        assert get(public, "/healthz") == (200, '{"status": "ok"}')
        assert get(public, "/readyz")[0] == 200
        assert get(public, "/metrics")[0] == get(public, "/metrics", f"localhost:{private}")[0] == 404
        status, text = get(private, "/metrics")
        assert (status, "countinghouse_database_up 1.0" in text) == (200, True)
    finally:
        served.terminate()
        served.wait(30)
    assert served.returncode == 0


def wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the site did not come up")
