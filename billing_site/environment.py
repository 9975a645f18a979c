"""Typed readers of the environment: a wrong value names its variable and stops the start."""

import hashlib
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict


class EnvironmentFault(Exception):
    """A variable is missing or is not of its type."""


_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_DATABASE_FIELDS = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}


def text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise EnvironmentFault(f"{name} is not set")
    return value


def flag(name: str, default: bool = False) -> bool:
    value = os.environ.get(name)
    if value is None:
        return default
    word = value.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise EnvironmentFault(f"{name} is {value!r}; write 1 or 0")


def integer(name: str, default: int, *, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
    value = os.environ.get(name)
    if value is None or not value.strip():
        return default
    if not (value.isascii() and value.strip().isdigit()):
        raise EnvironmentFault(f"{name} is {value!r}; write a whole number")
    number = int(value)
    if not minimum <= number <= maximum:
        raise EnvironmentFault(f"{name} is {number}; it must lie between {minimum} and {maximum}")
    return number


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    return _chosen(name, text(name, default), allowed)


def _chosen(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise EnvironmentFault(f"{name} is {value!r}; choose one of {', '.join(allowed)}")
    return value


def file(name: str) -> Path | None:
    """A file that this process can read, or None where the variable is not set or empty."""
    value = text(name, "").strip()
    if not value:
        return None
    path = Path(value)
    if not (path.is_file() and os.access(path, os.R_OK)):
        raise EnvironmentFault(f"{name} names {value!r}, which is no file that this process can read")
    return path


def log_level(name: str) -> str:
    """DEBUG, INFO, WARNING or ERROR, in any case; WARN is WARNING."""
    level = text(name, "INFO").strip().upper()
    return "WARNING" if level == "WARN" else _chosen(name, level, ("DEBUG", "INFO", "WARNING", "ERROR"))


def database(name: str) -> dict[str, Any]:
    """A PostgreSQL URL as Django's connection fields. `?host=` names a socket directory; what else libpq knows, such as
    `sslmode`, becomes an option of the connection. What it does not know is refused, not dropped."""
    url = text(name)
    if not url.startswith(("postgresql://", "postgres://")):
        raise EnvironmentFault(f"{name} must be a postgresql:// URL; PostgreSQL 15+ is the engine")
    try:
        parts: dict[str, Any] = conninfo_to_dict(url)
    except ProgrammingError:  # its text may hold the password
        wanted = "postgresql://user:password@host:port/database, with libpq's parameters only"
        raise EnvironmentFault(f"{name} is no URL that PostgreSQL can read: write {wanted}") from None
    own = {field: str(parts.pop(part, "") or "") for field, part in _DATABASE_FIELDS.items()}
    if not own["NAME"] or not own["USER"]:
        raise EnvironmentFault(f"{name} must name a user and a database")
    if not all(map(_is_port, own["PORT"].split(",") if own["PORT"] else ())):
        raise EnvironmentFault(f"{name} must name a port between 1 and 65535")
    return {**own, "OPTIONS": parts}


def redis(name: str) -> str:
    """The URL of a Redis: redis://, rediss:// or unix://."""
    url = text(name)
    try:
        parts = urlsplit(url)
        known = parts.scheme == "unix" or (parts.scheme in {"redis", "rediss"} and parts.port != 0)
    except ValueError:  # a port that is none, a bracket too few
        known = False
    if not known:
        raise EnvironmentFault(f"{name} must be a redis://, rediss:// or unix:// URL")
    return url


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text) <= 65535


def broker_url(redis_url: str) -> str:
    """Celery's spelling of a Redis URL: kombu wants `redis+socket://` for a unix socket."""
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


def cookie_names(secret_key: str, *, tls: bool) -> tuple[str, str]:
    """Of the session and of CSRF. Over TLS a browser takes them from this host alone; without it, sites of one host
    share their cookies whatever their ports, so each clone has names of its own."""
    if tls:
        return "__Host-session", "__Host-csrf"
    own = hashlib.sha256(f"cookies of {secret_key}".encode()).hexdigest()[:8]
    return f"session-{own}", f"csrf-{own}"


def local_secret(state_directory: Path, environment_name: str) -> str:
    """A secret of this clone's own, made once; only the embedded site may run on it."""
    if environment_name != "embedded":
        raise EnvironmentFault("SECRET_KEY is not set")
    state_directory.mkdir(mode=0o755, exist_ok=True)
    path = state_directory / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text()
