"""001-42 over the console's calls: WARN for 401 and 403, ERROR for upstream failure, and no secret in any line."""

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.api_server import kubeconfig
from tests.billing_site.console.scene import bearing, signed_in
from tests.cast import Cast

BILLING = "/api/billing"
CANARY = "canary-4b1d"


def levels(caplog: pytest.LogCaptureFixture) -> dict[int, int]:
    """Status → level of the lines about requests."""
    found = {}
    for record in caplog.records:
        if record.name == "billing_site.requests" and isinstance(record.msg, dict):
            found[record.msg["status"]] = record.levelno
    return found


def test_001_42_each_outcome_has_its_level(
    cast: Cast, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alice = signed_in(cast.alice)
    with caplog.at_level(logging.INFO):
        alice.get(f"{BILLING}/config")
        bearing(CANARY).get(f"{BILLING}/config")
        alice.get(f"{BILLING}/project/elsewhere-x/overview")
        alice.put(
            "/api/manage-organization/projects/training/quota",
            {"cpu": CANARY, "apiKey": CANARY},
            content_type="application/json",
        )
        settings.KUBECONFIG_PATH = kubeconfig(tmp_path, "http://127.0.0.1:1")
        alice.get(f"{BILLING}/quota-status")
    assert levels(caplog) == {
        200: logging.INFO,
        401: logging.WARNING,
        403: logging.WARNING,
        400: logging.INFO,
        503: logging.ERROR,
    }
    assert CANARY not in caplog.text
