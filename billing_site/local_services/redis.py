"""The embedded Redis: a doorbell on a unix socket, with nothing worth keeping on disk."""

import signal
import time
from pathlib import Path
from urllib.parse import quote

from billing_site.local_services import processes
from billing_site.local_services.fault import LocalServicesFault
from billing_site.local_services.place import Place
from billing_site.local_services.sockets import listens

_STOP = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
_START_SECONDS = 20


def url(sockets: Path) -> str:
    return f"unix://{quote(str(_socket(sockets)))}?db=0"


def ensure_running(place: Place, sockets: Path) -> None:
    if listens(_socket(sockets)):
        return
    stop(place)
    place.account.own(place.redis_data)
    settings = {
        "port": "0",
        "unixsocket": str(_socket(sockets)),
        "unixsocketperm": "700",
        "dir": str(place.redis_data),
        "logfile": "redis.log",
        "save": "",
        "appendonly": "no",
        "daemonize": "yes",
    }
    place.account.run(
        [place.binaries.redis, *(part for name, value in settings.items() for part in (f"--{name}", value))]
    )
    until = time.monotonic() + _START_SECONDS
    while not listens(_socket(sockets)):
        if time.monotonic() > until:
            raise LocalServicesFault(f"Redis did not start; see {place.redis_data / 'redis.log'}")
        time.sleep(0.02)


def stop(place: Place) -> None:
    processes.stop(place.redis_data, "redis-server", _STOP)


def _socket(sockets: Path) -> Path:
    return sockets / "redis.sock"
