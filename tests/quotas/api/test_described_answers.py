"""The room's addresses, of things that there are, with what nobody would think of sending: no 5xx, and whatever is
answered is as described. The caller may do everything, so that the acts themselves are reached."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as tries
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from accounts.clock import now
from accounts.models import User
from billing_site.management.commands.openapi import DESCRIPTION
from quotas.allocations import start
from quotas.catalog.document import parse
from quotas.catalog_drafts import open_draft
from quotas.external_ips import hold_address
from quotas.models import ServicePrice
from tests.cast import ACTOR, NOON, Cast
from tests.quotas.api.callers import staff
from tests.quotas.api.scene import plan_of_acme
from tests.quotas.offer_scene import set_price_book
from tests.quotas.plans import another_document

NOUNS = frozenset(
    {
        *("catalogs", "meters", "prices", "offers", "segments", "discounts", "commitments", "entitlements"),
        *("subscriptions", "skus", "plans", "addons", "price-calculations", "price-quotes"),
        *("allocations", "limits", "usage-reports", "external-ips", "quota-checks"),
    }
)


@pytest.fixture
def there_are(cast: Cast) -> dict[str, str]:
    """Ids by what addresses and bodies call them."""
    subscription, book = plan_of_acme(cast), set_price_book(cast, now())
    return {
        "organization": cast.acme.public_id,
        "billing_account": cast.prepaid.public_id,
        "account": cast.prepaid.public_id,
        "subscription": subscription.public_id,
        "catalog": open_draft(parse(another_document()), source="tests", actor=ACTOR, at=NOON).public_id,
        "meter": book.meter.public_id,
        "metric": book.published.name,
        "price": ServicePrice.objects.earliest("pk").public_id,
        "offer": book.draft.public_id,
        "segment": book.startups.public_id,
        "discount": book.discount.public_id,
        "commitment": book.commitment.public_id,
        "sku": cast.gpu.public_id,
        "plan": "pro-pool",
        "addon": "turbo-x1",
        "reason": "the desk decided so",
        "project": cast.project.public_id,
        "allocation": start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON).public_id,
        "external_ip": hold_address(cast.acme, "web", "cloud", actor=ACTOR, at=NOON).public_id,
    }


def test_whatever_staff_send_is_answered_as_described(
    cast: Cast, there_are: dict[str, str], settings: Settings
) -> None:
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 1_000_000
    root = staff(User.objects.create_superuser("root@countinghouse.example"))
    document = json.loads(DESCRIPTION.read_text())
    schema: Any = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations()]
    ours = [one for one in operations if one.path.removeprefix("/api/v1/").partition("/")[0] in NOUNS]
    assert len(ours) > 50
    faults = [fault for operation in ours for fault in _faults(operation, document, root, there_are)]
    assert faults == [], "\n".join(faults)


def _faults(operation: Any, document: Any, client: APIClient, there_are: Mapping[str, str]) -> list[str]:
    faults: list[str] = []
    path = operation.path.format_map(there_are)
    described = document["paths"][operation.path][operation.method]["responses"]

    @tries(
        max_examples=8,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        body = json.dumps(_real(case.body, there_are)) if isinstance(case.body, dict | list) else ""
        key = {"Idempotency-Key": f"{operation.label}-{abs(hash(body))}".replace(" ", "-")}
        answer = client.generic(operation.method, path, body, content_type="application/json", headers=key)
        if fault := _fault(answer, described, document["components"]):
            faults.append(f"{operation.label}: {answer.status_code} {body[:300]}: {fault}")

    send()
    return faults


def _fault(answer: Any, described: Any, components: Any) -> str:
    if answer.status_code >= 500 or str(answer.status_code) not in described:
        return "not described"
    for shape in described[str(answer.status_code)].get("content", {}).values():
        found = best_match(
            Draft202012Validator({**shape["schema"], "components": components}).iter_errors(answer.json())
        )
        return found.message[:300] if found else ""
    return ""


def _real(body: Any, there_are: Mapping[str, str]) -> Any:
    """With ids of things that there are, where it names some."""
    if not isinstance(body, dict):
        return body
    return {name: there_are[name] if name in there_are and value else value for name, value in body.items()}
