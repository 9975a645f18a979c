"""How often namespaces were opened, and how often that was refused; in this process."""

from prometheus_client import CollectorRegistry, Counter

REGISTRY = CollectorRegistry(auto_describe=False)
ACCESSES = Counter(
    "countinghouse_namespace_accesses",
    "Requests for the data of a namespace, by outcome.",
    ["outcome"],
    registry=REGISTRY,
)


def count(*, granted: bool) -> None:
    ACCESSES.labels("granted" if granted else "denied").inc()
