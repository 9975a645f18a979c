"""The embedded PostgreSQL: one cluster for each clone, two roles, one database, a unix socket and no TCP."""

import os
import shlex
import shutil
import signal
import time
from pathlib import Path
from urllib.parse import quote

from psycopg import pq

from billing_site.local_services import processes
from billing_site.local_services.fault import LocalServicesFault
from billing_site.local_services.place import Place
from billing_site.local_services.sockets import listens

DATABASE = "countinghouse"
OWNER = "countinghouse_owner"
APPLICATION = "countinghouse_app"
_PORT = "5432"

# Durable as in production; sized for a laptop or a small build machine.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": _PORT,
    "max_connections": "60",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1500MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "autovacuum": "on",
    "autovacuum_naptime": "15s",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
_STOP = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
_START_SECONDS = 180

_ROLES = f"""
CREATE ROLE {OWNER} LOGIN CREATEDB;
CREATE ROLE {APPLICATION} LOGIN;
CREATE DATABASE {DATABASE} OWNER {OWNER};
"""
_SCHEMA = f"""
ALTER SCHEMA public OWNER TO {OWNER};
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
"""


def url(role: str, sockets: Path) -> str:
    # The port is spelled out because libpq would otherwise take PGPORT from the environment.
    return f"postgresql://{role}@/{DATABASE}?host={quote(str(sockets))}&port={_PORT}"


def ensure_running(place: Place, sockets: Path) -> None:
    """Leave a running server of this clone alone; otherwise clear what a crash left, and start."""
    if _answers(sockets):
        return
    stop(place)
    if not place.postgres_data.exists():
        _make_cluster(place)
    _require_same_major(place)
    # No process of this cluster is left, whatever now bears the pids in these files.
    for lock in (place.postgres_data / "postmaster.pid", sockets / f".s.PGSQL.{_PORT}.lock"):
        lock.unlink(missing_ok=True)
    _start(place, sockets)


def stop(place: Place) -> None:
    """Fast shutdown; every process of this cluster is gone afterwards."""
    processes.stop(place.postgres_data, "postgres", _STOP)


def _answers(sockets: Path) -> bool:
    """Whether the server takes connections. One that is busy, or recovering from a crash, is waited for."""
    where = f"host='{sockets}' port={_PORT} user={APPLICATION} dbname={DATABASE} connect_timeout=10"
    until = time.monotonic() + _START_SECONDS
    while listens(sockets / f".s.PGSQL.{_PORT}"):
        if pq.PGconn.ping(where.encode()) == pq.Ping.OK:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return False


def _start(place: Place, sockets: Path) -> None:
    options = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in _SETTINGS.items())
    options += f" -c unix_socket_directories={shlex.quote(str(sockets))}"
    log = place.state / "postgres.log"
    if log.exists():
        log.replace(place.state / "postgres.log.previous")
    command = [place.binaries.postgres("pg_ctl"), "start", "-D", str(place.postgres_data), "-o", options]
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        place.account.run([*command, "--wait", "--timeout", str(_START_SECONDS), "--silent"], log=descriptor)
    except LocalServicesFault as error:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        raise LocalServicesFault(f"PostgreSQL did not start; the end of {log}:\n{last}") from error
    finally:
        os.close(descriptor)


def _make_cluster(place: Place) -> None:
    """initdb, roles and database in a folder beside; it gets its name when whole, so none is half made."""
    unfinished = place.data / "postgres.unfinished"
    processes.stop(unfinished, "postgres", _STOP)
    if unfinished.exists():
        shutil.rmtree(unfinished)
    place.account.own(unfinished)
    place.account.run(
        [
            place.binaries.postgres("initdb"),
            *("-D", str(unfinished), "--username=postgres", "--auth=trust", "--encoding=UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ]
    )
    for database, commands in (("postgres", _ROLES), (DATABASE, _SCHEMA)):
        single = [place.binaries.postgres("postgres"), "--single", "-D", str(unfinished)]
        place.account.run([*single, "-c", "exit_on_error=on", database], stdin=commands.lstrip())
    unfinished.rename(place.postgres_data)


def _require_same_major(place: Place) -> None:
    made_by = (place.postgres_data / "PG_VERSION").read_text().strip()
    runs = place.account.run([place.binaries.postgres("postgres"), "--version"]).split()[2].split(".")[0]
    if made_by != runs:
        raise LocalServicesFault(
            f"{place.postgres_data} was made by PostgreSQL {made_by}, the wheel brings {runs}: "
            "remove .local to start with an empty database, or set DATABASE_URL"
        )
