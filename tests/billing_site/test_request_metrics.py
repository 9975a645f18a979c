"""What Prometheus learns of requests: by route, by caller refused, and what is left for payment paths."""

import re

import pytest
from django.test import Client

from billing_site import request_metrics
from billing_site.request_metrics import error_budget, observe
from tests.accounts.api.callers import client_of, member
from tests.cast import Cast


def scraped() -> str:
    return Client().get("/metrics", SERVER_PORT="9100").content.decode()


def figure(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} ([0-9.e+-]+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.mark.django_db
def test_requests_are_counted_by_route_not_by_address(cast: Cast) -> None:
    route = 'method="GET",route="api/v1/projects/<str:project>"'
    before = scraped()
    alice = client_of(member(cast.alice, cast.acme, "org-admin"))
    alice.get(f"/api/v1/projects/{cast.project.public_id}")
    alice.get("/api/v1/projects/prj_0000000000zzz")
    Client().get("/api/v1/projects", headers={"authorization": "Bearer wrong"})
    alice.get("/api/billing/project/training/overview")
    alice.get("/api/billing/project/elsewhere/overview")
    after = scraped()
    for name, more in (
        (f'countinghouse_requests_total{{{route},status="2xx"}}', 1),
        (f'countinghouse_requests_total{{{route},status="4xx"}}', 1),
        (f"countinghouse_request_duration_seconds_count{{{route}}}", 2),
        ('countinghouse_namespace_accesses_total{outcome="granted"}', 1),
        ('countinghouse_namespace_accesses_total{outcome="denied"}', 1),
        ('countinghouse_authentication_failures_total{reason="token_invalid"}', 1),
    ):
        assert figure(after, name) - figure(before, name) == more, name
    assert cast.project.public_id not in after


def test_the_error_budget_of_payment_paths_is_spent_by_our_failures() -> None:
    def left() -> float:
        (metric,) = error_budget(list(request_metrics.REGISTRY.collect()))
        return metric.samples[0].value

    for _ in range(3000):
        observe("POST", "payments/checkout", 200, 0.02)
    before = left()
    observe("POST", "payments/checkout", 422, 0.02)
    assert left() >= before
    observe("POST", "payments/checkout", 503, 0.02)
    assert left() < before
    assert 0 < left() < 1
