"""Liveness and readiness. Answers name checks, never hosts, roles or rows: the details are in the log."""

from functools import cache

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from billing_site import boot_checks

log = structlog.stdlib.get_logger("billing_site.health")

# Connecting and answering each have half of the second.
REDIS_SECONDS = 0.5


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nothing of the database, so that an outage there restarts nobody."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """Whether traffic may come here: 200, or 503 with the list of what fails."""
    failing = [*_boot_faults(), *_redis_faults(), *_migration_faults()]
    if failing:
        log.error("not_ready", failing=failing)
    public = [{"check": check, "hint": hint} for check, hint, _detail in failing]
    unique = list({fault["check"]: fault for fault in public}.values())
    return JsonResponse(
        {"status": "not_ready" if failing else "ready", "failing": unique}, status=503 if failing else 200
    )


def _boot_faults() -> list[tuple[str, str, str]]:
    return [(fault.id or "", fault.hint or "", fault.msg) for fault in boot_checks.faults()]


def _redis_faults() -> list[tuple[str, str, str]]:
    client = Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        client.ping()
    except RedisError as error:
        return [("redis", "Redis does not answer within a second.", str(error))]
    finally:
        client.close()
    return []


def _migration_faults() -> list[tuple[str, str, str]]:
    try:
        applied = set(MigrationRecorder(connection).applied_migrations())
    except DatabaseError as error:
        return [("migrations", "The database does not say which migrations it has.", str(error))]
    waiting = sorted(_migrations_on_disk() - applied)
    if waiting:
        return [("migrations", "Run manage.py migrate.", f"{len(waiting)} wait, first {'.'.join(waiting[0])}")]
    return []


@cache
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    """Read once: the files of a running process do not change."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.nodes)
