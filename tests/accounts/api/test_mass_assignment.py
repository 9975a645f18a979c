"""Every field of every model, sent where it does not belong: named as unknown, and nothing is written."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.forms.models import model_to_dict
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from accounts.models import (
    ApprovalRequest,
    BillingAccount,
    BillingAccountBinding,
    FeatureGrant,
    Membership,
    Organization,
    PolicyValue,
    Project,
    User,
)
from tests.cast import Cast
from tests.row_counts import row_counts

SAMPLES = (1, "Archived", None)
ALL = (BillingAccount, BillingAccountBinding, Membership, Organization, Project, PolicyValue, ApprovalRequest, User)

Case = tuple[str, str, type[Model], Callable[[Cast], dict[str, Any]]]
CASES: list[Case] = [
    ("post", "organizations", Organization, lambda cast: {"name": "N", "slug": "n", "owner": "n@n.example"}),
    ("post", "projects", Project, lambda cast: {"organization": cast.acme.public_id, "name": "N", "slug": "n"}),
    ("post", "projects/{project}/close", Project, lambda cast: {}),
    ("post", "projects/{project}/rebind", BillingAccountBinding, lambda cast: {"billing_account": account(cast)}),
    ("post", "bindings", BillingAccountBinding, lambda cast: {"project": "prj_0000000000001"}),
    (
        "post",
        "billing-accounts",
        BillingAccount,
        lambda cast: {
            "organization": cast.acme.public_id,
            "name": "N",
            "currency": "USD",
            "settlement": "prepaid",
        },
    ),
    ("patch", "billing-accounts/{account}", BillingAccount, lambda cast: {"time_zone": "Asia/Tokyo"}),
    ("post", "billing-accounts/{account}/suspend", BillingAccount, lambda cast: {}),
    ("delete", "billing-accounts/{account}", BillingAccount, lambda cast: {}),
    (
        "post",
        "organizations/{organization}/members",
        Membership,
        lambda cast: {"email": "n@n.example", "role": "guest"},
    ),
    ("patch", "organizations/{organization}/members/{user}", Membership, lambda cast: {"role": "guest"}),
    ("patch", "organizations/{organization}/members/{user}", User, lambda cast: {"role": "guest"}),
    ("post", "organizations/{organization}/close", Organization, lambda cast: {}),
    ("post", "organizations/{organization}/features", FeatureGrant, lambda cast: {"feature": "multi-billing-accounts"}),
    ("put", "policies/billing.window_seconds/{organization}", PolicyValue, lambda cast: {"value": 60}),
    ("post", "approvals/{approval}/decide", ApprovalRequest, lambda cast: {"decision": "approve"}),
]


def account(cast: Cast) -> str:
    return cast.postpaid.public_id


@pytest.mark.parametrize(("method", "path", "model", "body"), CASES, ids=[f"{case[0]} {case[1]}" for case in CASES])
def test_a_field_that_is_not_allowed_changes_nothing(
    cast: Cast,
    dana: APIClient,
    erin: APIClient,
    settings: Settings,
    method: str,
    path: str,
    model: type[Model],
    body: Callable[[Cast], dict[str, Any]],
) -> None:
    address = "/api/v1/" + path.format(
        project=cast.project.public_id,
        account=cast.prepaid.public_id,
        organization=cast.acme.public_id,
        user=cast.bob.public_id,
        approval="apr_0000000000001",
    )
    settings.API_WRITES_PER_MINUTE = 10**6
    valid = body(cast) | ({} if "decide" in path else {"reason": "an attempt"})
    fields = model._meta
    names = {field.name for field in fields.get_fields()} | {field.attname for field in fields.concrete_fields}
    known = {*valid, *OF_BODIES.get((method, path), ())}
    before = row_counts(), standing()
    for name in sorted({*names, "pk", "is_staff", "__class__"} - known):
        for value in SAMPLES:
            sent, key = valid | {name: value}, {"Idempotency-Key": "k"}
            refused = getattr(erin if "decide" in path else dana, method)(address, sent, format="json", headers=key)
            assert refused.status_code == 422, (name, value, refused.json())
            fault = refused.json()["errors"][0]
            assert (fault["code"], fault["pointer"]) == ("unknown_field", f"/{name}"), (name, value)
    assert (row_counts(), standing()) == before


_DETAILS = ("contact", "invoice_emails", "address", "tax_ids", "time_zone", "payment_terms")
OF_BODIES = {
    ("post", "organizations"): ("external_id", "personal"),
    ("post", "projects"): ("external_id",),
    ("post", "billing-accounts"): ("external_id", "legal_entity", *_DETAILS),
    ("patch", "billing-accounts/{account}"): ("currency", *_DETAILS),
    ("post", "bindings"): ("billing_account",),
    ("post", "approvals/{approval}/decide"): ("note",),
}


def standing() -> list[dict[str, Any]]:
    """Every column of every row of the nouns."""
    return [model_to_dict(row) for model in ALL for row in model._default_manager.order_by("pk")]
