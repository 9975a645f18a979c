"""Who gets what from each call of the console: every route × method × role, own and foreign; nothing is unlisted."""

from typing import Any

import pytest
from django.test import Client

from accounts.abilities import OF_ROLES, READ_BILLING, READ_PROJECTS, WRITE_BILLING, WRITE_PROJECTS
from payments.providers.console import Console, Start
from tests.billing_site.api_routes import Operation, operations
from tests.billing_site.api_scene import Callers, gather_callers
from tests.billing_site.console.scene import let_in, provider_in_force, refusal
from tests.cast import Cast
from tests.quotas.plans import publish
from tests.quotas.subscription_scene import assign
from tests.row_counts import row_counts

QUOTA = "/api/manage-organization/projects/<str:project>/quota"
NEEDS = {
    **dict.fromkeys((f"GET /api/billing/{word}" for word in ("config", "health", "plans", "addons", "projects")), ""),
    **dict.fromkeys((f"GET /api/billing/{word}" for word in ("quota-usage", "quota-status")), READ_BILLING),
    "GET /api/billing/organization-subscription": READ_BILLING,
    "POST /api/billing/simulate-downgrade": READ_BILLING,
    "GET /api/billing/project/<str:namespace>/overview": READ_PROJECTS,
    f"GET {QUOTA}": READ_PROJECTS,
    f"PUT {QUOTA}": WRITE_PROJECTS,
    f"DELETE {QUOTA}": WRITE_PROJECTS,
}
STARTS = {
    "POST /api/billing/organization-subscription": WRITE_BILLING,
    "PUT /api/billing/organization-subscription": WRITE_BILLING,
    "DELETE /api/billing/organization-subscription": WRITE_BILLING,
    "POST /api/billing/organization-subscription/addons": WRITE_BILLING,
    "DELETE /api/billing/organization-subscription/addons/<str:addon>": WRITE_BILLING,
    "GET /api/billing/verify-checkout": "",
    "POST /api/billing/verify-checkout": "",
    "POST /api/billing/customer-portal": WRITE_BILLING,
    "POST /api/billing/webhook": "",
}
CONSOLE = [one for one in operations() if one.route.startswith(("/api/billing/", "/api/manage-organization/"))]
# What is the same for everybody who is known.
OF_NOBODY = {f"GET /api/billing/{word}" for word in ("config", "health", "plans", "addons")}
BODIES: dict[str, dict[str, Any]] = {
    "simulate-downgrade": {"planId": "dev-pool"},
    "organization-subscription": {"planId": "dev-pool"},
    "addons": {"addonId": "turbo-x1"},
    "verify-checkout": {"sessionId": "cs_1"},
    "quota": {"cpu": 1},
}


@pytest.fixture
def callers(cast: Cast, settings: Any) -> Callers:
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = settings.API_FAILURES_PER_MINUTE = 10**6
    publish()
    assign(cast.acme, "pro-pool")
    let_in(cast, cast.bob, cast.project)
    return gather_callers(cast)


def ask(client: Client, one: Operation, namespace: str, **query: str) -> Any:
    path = one.route.replace("<str:namespace>", namespace).replace("<str:project>", namespace)
    path = path.replace("<str:addon>", "turbo-x1")
    body = BODIES.get(path.rpartition("/")[2], {})
    named = {"session_id": "cs_1", **query}
    call = getattr(client, one.method.lower())
    if one.method == "GET":
        return call(path, query_params=named)
    return call(path, body, content_type="application/json", query_params=named)


def everything() -> Console:
    return Console(
        word="stripe", starts=dict.fromkeys(Start, lambda started: {"done": True}), webhook=lambda sent: {"done": True}
    )


def test_every_call_is_in_the_table_with_the_ability_it_says() -> None:
    assert {one.name: one.needs for one in CONSOLE} == NEEDS | STARTS


@pytest.mark.parametrize("role", [*OF_ROLES, "stranger", "withdrawn", "nobody"])
def test_each_role_gets_as_far_as_its_abilities(role: str, callers: Callers, settings: Any) -> None:
    client, held = callers.of(role)
    wrong = []
    with provider_in_force(settings, everything()):
        for one in CONSOLE:
            status = ask(client, one, "acme-training").status_code
            expected = _expected(one, role, held)
            if status not in expected:
                wrong.append((one.name, status, expected))
    assert wrong == []


def _expected(one: Operation, role: str, held: frozenset[str]) -> set[int]:
    if one.route.endswith("/webhook"):
        return {200}  # the signature says who sends
    if role == "nobody":
        return {401}
    if "<str:namespace>" in one.route or "<str:project>" in one.route:
        allowed = role not in ("stranger", "withdrawn") and one.needs in held
        return {200} | ({409} if one.method == "DELETE" else set()) if allowed else {403}
    if role == "withdrawn":  # belongs to nothing any more, and is told what concerns nobody
        return {200} if one.name in OF_NOBODY else {403}
    return {200} if not one.needs or one.needs in held else {403}


@pytest.mark.parametrize("role", ["stranger", "guest", "project-user"])
def test_another_organization_answers_like_one_that_is_not(role: str, callers: Callers, settings: Any) -> None:
    """By name in the query, and by namespace in the address; nothing is written."""
    client, _ = callers.of(role)
    home = "elsewhere" if role != "stranger" else "acme"
    before = row_counts()
    wrong = []
    with provider_in_force(settings, everything()):
        for one in CONSOLE:
            if one.name in OF_NOBODY or one.route.endswith("/webhook"):
                continue
            foreign, unknown = (ask(client, one, "training", organization=name) for name in (home, "nobody-s"))
            if refusal(foreign) != refusal(unknown) or foreign.status_code != 403:
                wrong.append((one.name, refusal(foreign), refusal(unknown)))
    assert wrong == []
    assert row_counts() == before


def test_without_a_provider_every_starting_call_is_nobody_s(callers: Callers) -> None:
    for role in ("org-admin", "guest", "nobody"):
        client, _ = callers.of(role)
        answers = {one.name: ask(client, one, "training") for one in CONSOLE if one.name in STARTS}
        assert {name: refusal(answer) for name, answer in answers.items()} == dict.fromkeys(
            STARTS, (404, "Not found", {})
        )
