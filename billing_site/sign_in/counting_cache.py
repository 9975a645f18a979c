"""Where tries are counted: in Redis for all processes together; while Redis is away, in each process by itself.

Redis holds nothing here that must not be lost, and staff must get in to mend it: refusing everybody would turn an
outage of a doorbell into one of the back office. N web processes then let N times as many tries through.
"""

import json
import time
from typing import Any

import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.stdlib.get_logger("billing_site.sign_in")

SECONDS_UNTIL_ASKED_AGAIN = 5


class PlainValues:
    """JSON, not pickle: whoever writes to Redis must not run code here."""

    def dumps(self, value: Any) -> str:
        return json.dumps(value)

    def loads(self, text: bytes) -> Any:
        return json.loads(text)


class CountingCache(BaseCache):
    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._shared = RedisCache(location, params)
        self._own = LocMemCache(f"in place of {location}", {"OPTIONS": {"MAX_ENTRIES": 100_000}})
        self._away_until = 0.0

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._ask("add", key, value, timeout=timeout, version=version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._ask("get", key, default, version=version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._ask("set", key, value, timeout=timeout, version=version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._ask("touch", key, timeout=timeout, version=version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._ask("delete", key, version=version))

    def clear(self) -> None:
        self._own.clear()
        self._ask("clear")

    def _ask(self, act: str, *given: Any, **named: Any) -> Any:
        if time.monotonic() >= self._away_until:
            try:
                return getattr(self._shared, act)(*given, **named)
            except RedisError as error:
                self._away_until = time.monotonic() + SECONDS_UNTIL_ASKED_AGAIN
                log.error("tries_are_counted_by_each_process", fault=type(error).__name__)
        return getattr(self._own, act)(*given, **named)
