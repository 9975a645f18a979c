"""001-11 … 001-14: who may ask the console's calls what, and how it is said that they may not."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts import clock, memberships
from accounts.lifecycle import open_organization, open_project
from accounts.models import Membership
from billing_site.console import namespace_access
from quotas.subscriptions import assign_plan
from tests.api_server import Fault, api_server, kubeconfig
from tests.billing_site.console.scene import bearing, let_in, refusal, signed_in, trusted
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.oidc_issuer import Issuer, running
from tests.quotas.plans import publish

BILLING = "/api/billing"
ADMINS_ONLY = ("organization-subscription", "quota-usage", "quota-status")
FOR_EVERYONE = ("config", "health", "plans", "addons", "projects")
DENIED = "Access denied to namespace"


@pytest.fixture(scope="module")
def served() -> Iterator[Issuer]:
    with running() as issuer:
        yield issuer


@pytest.fixture
def issuer(served: Issuer, cast: Cast, settings: Any) -> Issuer:
    publish()
    return trusted(served, settings)


def tokens(issuer: Issuer) -> dict[str, Client]:
    claims = {"namespaces": ["one", "two"]}
    return {
        role: bearing(issuer.token(f"u-{role}", "nova", role, **claims))
        for role in ("org-admin", "project-user", "guest")
    }


@pytest.mark.parametrize("path", ADMINS_ONLY)
def test_001_11_the_organization_s_billing_is_its_admins_own(issuer: Issuer, path: str) -> None:
    statuses = {role: client.get(f"{BILLING}/{path}").status_code for role, client in tokens(issuer).items()}
    assert statuses == {"org-admin": 200, "project-user": 403, "guest": 403}


def test_001_11_a_namespace_is_open_to_those_it_is_assigned_to(issuer: Issuer) -> None:
    found = {role: client.get(f"{BILLING}/project/one/overview") for role, client in tokens(issuer).items()}
    assert {role: answer.status_code for role, answer in found.items()} == {
        "org-admin": 200,
        "project-user": 200,
        "guest": 403,
    }
    assert refusal(found["guest"])[1:] == (DENIED, {"namespace": "one", "availableNamespaces": []})
    other = bearing(issuer.token("u-other", "nova", "project-user", namespaces=["two"]))
    assert refusal(other.get(f"{BILLING}/project/one/overview"))[2]["availableNamespaces"] == ["two"]
    assert [row["name"] for row in other.get(f"{BILLING}/projects").json()["data"]] == ["two"]


@pytest.mark.parametrize("path", FOR_EVERYONE)
def test_001_11_what_concerns_nobody_in_particular_is_open_to_all_who_signed_in(issuer: Issuer, path: str) -> None:
    found = {role: client.get(f"{BILLING}/{path}") for role, client in tokens(issuer).items()}
    assert {answer.status_code for answer in found.values()} == {200}
    if path == "projects":
        assert found["guest"].json()["data"] == []


@pytest.mark.parametrize("path", [*ADMINS_ONLY, *FOR_EVERYONE, "project/one/overview"])
def test_001_12_without_a_token_that_holds_it_is_401(issuer: Issuer, path: str) -> None:
    past = issuer.token("u-1", "nova", "org-admin", exp=1)
    foreign = issuer.token("u-1", "nova", "org-admin", aud="elsewhere")
    for client, code in (
        (Client(), "token_required"),
        (bearing(past), "token_expired"),
        (bearing(foreign), "token_invalid"),
        (bearing("nonsense"), "token_invalid"),
    ):
        answer = client.get(f"{BILLING}/{path}")
        assert refusal(answer) == (401, "Authentication token required", {"code": code})
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_001_13_foreign_and_unknown_namespaces_answer_alike(cast: Cast) -> None:
    alice = signed_in(cast.alice)
    open_project(cast.strangers, "Secret", "secret", at=BEGINNING)
    mine = ["acme-serving", "acme-training"]
    for name in ("acme-nothing", "acme-secret"):
        answer = alice.get(f"{BILLING}/project/{name}/overview")
        assert refusal(answer) == (403, DENIED, {"namespace": name, "availableNamespaces": mine})
    for name in ("elsewhere-secret", "elsewhere-nothing", "secret", "nothing", "-", "a\x00b", "x" * 4000, "é-é"):
        answer = alice.get(f"{BILLING}/project/{name}/overview")
        assert refusal(answer)[:2] == (403, DENIED)
        assert answer.json()["details"]["availableNamespaces"] == ["serving", "training"]
    stranger = signed_in(cast.charlie).get(f"{BILLING}/project/acme-training/overview")
    assert refusal(stranger)[2] == {"namespace": "acme-training", "availableNamespaces": ["secret"]}


def test_001_13_only_what_the_caller_may_open_is_listed(cast: Cast) -> None:
    let_in(cast, cast.bob, cast.project)
    bob = signed_in(cast.bob)
    assert bob.get(f"{BILLING}/project/acme-training/overview").status_code == 200
    answer = bob.get(f"{BILLING}/project/acme-serving/overview")
    assert refusal(answer)[2] == {"namespace": "acme-serving", "availableNamespaces": ["acme-training"]}
    member = Membership.objects.get(organization=cast.acme, user=cast.bob)
    memberships.let_out(member.pk, cast.project.pk, actor=ACTOR, at=NOON)
    answer = bob.get(f"{BILLING}/project/acme-training/overview")
    assert refusal(answer)[2] == {"namespace": "acme-training", "availableNamespaces": []}


def test_001_13_accesses_of_namespaces_are_counted(cast: Cast) -> None:
    alice = signed_in(cast.alice)
    before = _accesses()
    alice.get(f"{BILLING}/project/training/overview")
    alice.get(f"{BILLING}/project/elsewhere-x/overview")
    alice.get(f"{BILLING}/project/elsewhere-y/overview")
    assert _accesses() == (before[0] + 1, before[1] + 2)


def _accesses() -> tuple[float, float]:
    granted, denied = (
        namespace_access.REGISTRY.get_sample_value("countinghouse_namespace_accesses_total", {"outcome": outcome}) or 0
        for outcome in ("granted", "denied")
    )
    return granted, denied


def test_001_11_who_belongs_to_several_organizations_names_one(cast: Cast) -> None:
    publish()
    second = open_organization("Second", "second", owner=cast.alice, at=BEGINNING)
    open_project(second, "Training", "training", at=BEGINNING)
    assign_plan(second, "dev-pool", {}, actor=ACTOR, reason="ordered", at=NOON)
    alice = signed_in(cast.alice)
    answer = alice.get(f"{BILLING}/organization-subscription")
    assert refusal(answer)[0] == 400
    assert answer.json()["details"] == {"availableOrganizations": ["acme", "second"]}
    for named in ({"query_params": {"organization": "second"}}, {"headers": {"X-Organization": second.public_id}}):
        answer = alice.get(f"{BILLING}/organization-subscription", **named)  # type: ignore[arg-type]
        assert answer.json()["data"]["planId"] == "dev-pool"
    for foreign in ("elsewhere", "nothing", "org_zzzzzzzzzzzzz", "a\x00"):
        answer = alice.get(f"{BILLING}/organization-subscription", query_params={"organization": foreign})
        assert refusal(answer)[:2] == (403, "Access denied to organization")
    assert refusal(alice.get(f"{BILLING}/project/training/overview"))[0] == 400  # both have one
    assert alice.get(f"{BILLING}/project/second-training/overview").json()["data"]["organization"] == "second"
    answer = alice.get(f"{BILLING}/project/x/overview")
    assert answer.json()["details"]["availableNamespaces"] == ["acme-serving", "acme-training", "second-training"]


def test_001_11_staff_look_at_any_organization_by_its_name(cast: Cast) -> None:
    dana = signed_in(cast.dana)
    assert refusal(dana.get(f"{BILLING}/quota-usage"))[0] == 400
    found = dana.get(f"{BILLING}/quota-usage", query_params={"organization": "acme"})
    assert found.json()["data"]["organization"] == "acme"
    assert dana.get(f"{BILLING}/project/acme-training/overview").status_code == 200
    assert refusal(dana.get(f"{BILLING}/project/nothing/overview"))[2]["availableNamespaces"] == []


@pytest.mark.parametrize("path", ["health", "quota-status", "project/training/overview"])
def test_001_14_a_cluster_that_cannot_be_reached_is_503(
    cast: Cast, settings: Any, tmp_path: Path, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    alice = signed_in(cast.alice)
    settings.KUBECONFIG_PATH = kubeconfig(tmp_path, "http://127.0.0.1:1")
    with caplog.at_level(logging.INFO):
        answer = alice.get(f"{BILLING}/{path}")
    assert refusal(answer) == (503, "Billing service unreachable", {"code": "upstream_unreachable"})
    assert "cluster_unreachable" in " ".join(record.getMessage() for record in caplog.records if record.levelno >= 40)
    assert alice.get(f"{BILLING}/organization-subscription").status_code == 200  # our own rows answer as ever
    settings.KUBECONFIG_PATH = None
    assert alice.get(f"{BILLING}/{path}").status_code == 200


def test_001_14_what_the_cluster_says_is_told(cast: Cast, settings: Any, tmp_path: Path) -> None:
    publish()
    assign_plan(cast.acme, "dev-pool", {}, actor=ACTOR, reason="ordered", at=clock.now())
    alice = signed_in(cast.alice)
    with api_server(tmp_path) as (server, path):
        settings.KUBECONFIG_PATH = path
        assert alice.get(f"{BILLING}/health").json()["data"]["cluster"] == "ok"
        found = alice.get(f"{BILLING}/quota-status").json()["data"]
        assert (found["hrq"]["exists"], found["quotaEnforced"], found["cluster"]) == (False, False, "ok")
        home = {"name": "plan-quota", "namespace": "acme"}
        server.put("hnc.x-k8s.io/v1alpha2/hierarchicalresourcequotas", {"metadata": home, "spec": {}})
        found = alice.get(f"{BILLING}/quota-status").json()["data"]
        assert (found["hrq"]["exists"], found["quotaEnforced"], found["limitRange"]["exists"]) == (True, True, False)
        assert alice.get(f"{BILLING}/project/training/overview").json()["data"]["quotaEnforced"] is True
        server.faults.append(Fault(status=500))
        assert refusal(alice.get(f"{BILLING}/quota-status"))[:2] == (503, "Billing service unreachable")
        assert alice.get(f"{BILLING}/quota-status").status_code == 200


def test_001_12_no_address_of_the_console_answers_in_another_dialect(cast: Cast) -> None:
    alice = signed_in(cast.alice)
    for path in ("", "nothing", "plans/", "project//overview", "project/x", "config/x"):
        for client in (alice, Client()):
            assert refusal(client.get(f"{BILLING}/{path}")) == (404, "Not found", {})
    for method in ("post", "put", "patch", "delete", "options"):
        for client in (alice, Client()):
            assert refusal(getattr(client, method)(f"{BILLING}/plans")) == (404, "Not found", {})
    answer = alice.get(f"{BILLING}/plans", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
