"""The API against its own description, with what nobody would think of sending: no 5xx, nothing undescribed."""

import json
import time
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts import api_keys, clock
from accounts.abilities import EVERY
from billing_site.management.commands.openapi import DESCRIPTION
from tests.browser.conftest import site
from tests.cast import ACTOR, Cast

MOST_SECONDS = 240
EXAMPLES = 6
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture
def bearer(committed_db: str, cast: Cast) -> str:
    """A key of the platform's own, with every scope."""
    return api_keys.create(None, "fuzz", sorted(EVERY), actor=ACTOR, at=clock.now()).text


def test_whatever_is_sent_is_answered_as_described(
    committed_db: str, process_environment: dict[str, str], bearer: str
) -> None:
    schema = schemathesis.openapi.from_dict(json.loads(DESCRIPTION.read_text()))
    patient = {"API_READS_PER_MINUTE": "1000000", "API_WRITES_PER_MINUTE": "1000000"}
    begun, tried, faults = time.monotonic(), 0, []
    with site(process_environment | patient) as address:
        schema.config.update(base_url=address)
        for found in schema.get_all_operations():
            operation = found.ok()
            if fault := _try(operation, {"Authorization": f"Bearer {bearer}"}):
                faults.append(fault)
            tried += 1
            assert time.monotonic() - begun < MOST_SECONDS, f"{tried} operations took all the time there is"
    assert faults == [], "\n".join(faults)
    assert tried > 30


def _try(operation: Any, headers: dict[str, str]) -> str:
    """What went wrong first, with the request that shows it; empty where all went well."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)

    try:
        send()
    except BaseExceptionGroup as failures:
        return f"{operation.label}: {failures.exceptions[0]}\n{failures}"
    return ""
