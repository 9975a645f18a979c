"""What goes wrong, in the seed's envelope: nothing of ours shows through it."""

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions

from accounts.errors import Conflict, DomainError
from billing_site.console import envelope
from billing_site.console.envelope import Denied, Unreachable
from tests.billing_site.console.scene import signed_in
from tests.cast import Cast


@pytest.mark.parametrize(
    ("error", "status", "said", "details"),
    [
        (RuntimeError("secret"), 500, "Internal server error", {"code": "server_error"}),
        (OperationalError("host=secret"), 503, "Billing service unreachable", {"code": "upstream_unreachable"}),
        (Unreachable(), 503, "Billing service unreachable", {"code": "upstream_unreachable"}),
        (Http404("secret"), 404, "Not found", {}),
        (Conflict("it is so", field="planId", code="so"), 409, "It is so", {"code": "so", "field": "planId"}),
        (DomainError("it is wrong", code="wrong"), 400, "It is wrong", {"code": "wrong"}),
        (Denied("Access denied to namespace", namespace="x"), 403, "Access denied to namespace", {"namespace": "x"}),
        (exceptions.NotAuthenticated(), 401, "Authentication token required", {"code": "token_required"}),
        (exceptions.Throttled(2.5), 429, None, {"code": "throttled"}),
    ],
)
def test_a_refusal_says_what_it_may(error: Exception, status: int, said: str | None, details: dict[str, Any]) -> None:
    answer = envelope.answer(error, {})
    assert list(answer.data) == ["success", "error", "details", "timestamp"]
    assert (answer.status_code, answer.data["success"], answer.data["details"]) == (status, False, details)
    assert said in (None, answer.data["error"])
    assert "secret" not in json.dumps(answer.data)


def test_a_caller_who_asks_too_often_is_told_when_to_come_back(cast: Cast, settings: Any) -> None:
    settings.API_READS_PER_MINUTE = 2
    alice = signed_in(cast.alice)
    answers = [alice.get("/api/billing/config") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["success"] is False
    assert int(answers[2].headers["Retry-After"]) > 0
    assert answers[0].headers["Cache-Control"] == "no-store"
