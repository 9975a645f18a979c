"""How often a caller may ask: a bucket of tokens in Redis, taken from by one atomic script.

Django REST framework's own throttles read, count and write, so that parallel requests slip through. Where Redis is
away each process counts for itself: the limit holds per process until Redis is back.
"""

import math
import threading
import time
from dataclasses import dataclass
from functools import cache

import structlog
from django.conf import settings
from django.db import connection
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = structlog.stdlib.get_logger("accounts.api")

WINDOW_SECONDS = 60
# KEYS bucket; ARGV capacity, window in seconds. The server's clock, so that no two processes disagree.
_TAKE = """
local capacity, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(held[1]) or capacity
tokens = math.min(capacity, tokens + math.max(0, now - (tonumber(held[2]) or now)) * capacity / window)
local taken = tokens >= 1
if taken then tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], window * 2)
return {taken and 1 or 0, tostring(tokens)}
"""


@dataclass(frozen=True)
class Allowance:
    """`wait_seconds` until there is a token again, 0 where this request has one."""

    kind: str
    limit: int
    remaining: int
    wait_seconds: float

    @property
    def allowed(self) -> bool:
        return self.wait_seconds == 0

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers words them."""
        full_again = math.ceil((self.limit - self.remaining) * WINDOW_SECONDS / self.limit)
        return {
            "RateLimit-Policy": f'"{self.kind}";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"{self.kind}";r={self.remaining};t={full_again}',
        }


def take(caller: str, kind: str, limit: int) -> Allowance:
    """One request of `caller` counts; `limit` a minute, all of which may come at once."""
    bucket = f"rate:{connection.settings_dict['NAME']}:{kind}:{caller}"
    try:
        taken, tokens = _redis(settings.REDIS_URL).eval(_TAKE, 1, bucket, limit, WINDOW_SECONDS)
        left = float(tokens)
    except RedisError:
        log.warning("rate_limit_without_redis")
        taken, left = _own.take(bucket, limit)
    wait = 0.0 if taken else (1 - left) * WINDOW_SECONDS / limit
    return Allowance(kind, limit, int(left), wait)


@cache
def _redis(url: str) -> "Redis":
    return Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=0.5, socket_timeout=0.5)


class _OwnBuckets:
    """This process's own count."""

    MOST = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[float, float]] = {}

    def take(self, bucket: str, limit: int) -> tuple[bool, float]:
        with self._lock:
            if len(self._held) > self.MOST:
                self._held.clear()
            now = time.monotonic()
            tokens, at = self._held.get(bucket, (float(limit), now))
            tokens = min(limit, tokens + (now - at) * limit / WINDOW_SECONDS)
            taken = tokens >= 1
            tokens -= taken
            self._held[bucket] = tokens, now
            return taken, tokens


_own = _OwnBuckets()
