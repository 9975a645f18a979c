"""One look at Redis, the doorbell's wire: whether it answers, what it may throw away, and how many rings wait in it."""

from dataclasses import dataclass

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from billing_site.celery import app

REDIS_SECONDS = 2.0


@dataclass(frozen=True)
class Broker:
    """`error` is empty where it answers. `waiting` rings are in the queue that no worker has taken up."""

    error: str = ""
    waiting: int = 0
    eviction: str = ""
    limit_bytes: int = 0


def look(*, seconds: float = REDIS_SECONDS) -> Broker:
    """Connecting and each answer have that many seconds."""
    patience = {"socket_connect_timeout": seconds, "socket_timeout": seconds}
    try:
        with Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **patience) as client:
            waiting = int(client.llen(app.conf.task_default_queue))
            memory = client.info("memory")
    except (RedisError, ValueError) as error:
        return Broker(error=(str(error).strip().splitlines() or [type(error).__name__])[0])
    return Broker("", waiting, str(memory.get("maxmemory_policy", "")), int(memory.get("maxmemory", 0)))
