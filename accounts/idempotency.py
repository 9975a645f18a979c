"""Idempotency keys: claim, effect and stored answer are one transaction, so that a repeat can never act twice.

Source: draft-ietf-httpapi-idempotency-key-header-07. A refusal is not kept: nothing was done, so nothing is repeated.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts.errors import Conflict, DomainError
from accounts.models import IdempotencyRecord

LONGEST = 255
KEPT_DAYS = 7


class KeyRequired(DomainError):
    code = "idempotency_key_required"
    status = 400


class KeyInvalid(DomainError):
    code = "idempotency_key_invalid"
    status = 400


class KeyReused(DomainError):
    """The same key came with another request."""

    code = "idempotency_key_reused"
    status = 422


class KeyInFlight(Conflict):
    code = "idempotency_key_in_flight"
    retryable = True


@dataclass(frozen=True)
class Kept:
    """What was answered the first time."""

    status: int
    body: Any


def check_key(key: str) -> str:
    """1 to 255 visible ASCII characters. Raises KeyInvalid."""
    if not 0 < len(key) <= LONGEST or not all("!" <= letter <= "~" for letter in key):
        raise KeyInvalid(f"an idempotency key has 1 to {LONGEST} visible ASCII characters")
    return key


def fingerprint(method: str, path: str, body: Any) -> str:
    """What the request asks for, whatever the order of its names."""
    canonical = json.dumps([method, path, body], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def claim(caller: str, key: str, wanted: str) -> Kept | None:
    """Hold the key until the transaction ends, before anything else is locked. The earlier answer, if there is one.

    Raises KeyInFlight, KeyReused.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 7))", [f"idempotency {caller} {key}"])
        if not cursor.fetchone()[0]:
            raise KeyInFlight("a request with this idempotency key is under way")
    record = IdempotencyRecord.objects.filter(caller=caller, key=key).first()
    if record is None:
        return None
    if record.fingerprint != wanted:
        raise KeyReused("this idempotency key was used for another request")
    return Kept(record.status, record.body)


def keep(caller: str, key: str, wanted: str, *, status: int, body: Any, at: datetime) -> None:
    """Write the answer in the transaction of its effect."""
    IdempotencyRecord.objects.create(
        caller=caller, key=key, fingerprint=wanted, status=status, body=body, created_at=at
    )


def forget_old(at: datetime) -> int:
    """Let go of answers that nobody will ask for again; how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=at - timedelta(days=KEPT_DAYS)).delete()[0]
