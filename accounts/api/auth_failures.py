"""How often callers were turned away, and why; in this process."""

from prometheus_client import CollectorRegistry, Counter

REGISTRY = CollectorRegistry(auto_describe=False)
FAILURES = Counter(
    "countinghouse_authentication_failures",
    "Requests whose caller was refused, by code.",
    ["reason"],
    registry=REGISTRY,
)


def count(reason: str) -> None:
    """One more; `reason` is the stable code of the refusal."""
    FAILURES.labels(reason).inc()
