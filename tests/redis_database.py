"""Which logical database of Redis a process of the suite has for itself."""

from urllib.parse import urlsplit

WORKERS = 7  # databases 1 to 7 belong to the suite's processes, by their number; 8 to 15 to tests that run a site


def numbered(url: str, number: int) -> str:
    """The same Redis, another database."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"
    return parts._replace(path=f"/{number}").geturl()


def of_worker(url: str, worker: str) -> str:
    """`worker` as pytest-xdist names it: gw0, gw1, …; empty where there is one process."""
    return numbered(url, 1 + int(worker.removeprefix("gw") or 0) % WORKERS)
