"""001-01 … 001-03: which provider is in force shows in `/config`, and decides which routes there are."""

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.errors import Conflict, DomainError
from accounts.models import AuditLog, ProviderSwitch, User
from payments import registry
from payments.providers.console import Console, Delivery, Start, Started
from tests.billing_site.console.scene import bearing, let_in, provider_in_force, refusal, signed_in
from tests.cast import Cast
from tests.scenarios.acting import act

BILLING = "/api/billing"
NOTHING = {"quotas": True, "plans": True, "checkout": False, "portal": False, "webhooks": False, "addons": False}
EVERYTHING = dict.fromkeys(NOTHING, True)
# Route, body, what is started, and with which words.
STARTS: dict[tuple[str, str], tuple[dict[str, str] | None, Start, dict[str, str]]] = {
    ("post", "organization-subscription"): ({"planId": "pro-pool"}, Start.SUBSCRIBE, {"planId": "pro-pool"}),
    ("put", "organization-subscription"): ({"planId": "dev-pool"}, Start.CHANGE_PLAN, {"planId": "dev-pool"}),
    ("delete", "organization-subscription"): (None, Start.CANCEL, {}),
    ("post", "organization-subscription/addons"): ({"addonId": "turbo-x1"}, Start.ADD_ADDON, {"addonId": "turbo-x1"}),
    ("delete", "organization-subscription/addons/turbo-x1"): (None, Start.REMOVE_ADDON, {"addonId": "turbo-x1"}),
    ("get", "verify-checkout?session_id=cs_1"): (None, Start.VERIFY_CHECKOUT, {"sessionId": "cs_1"}),
    ("post", "verify-checkout"): ({"sessionId": "cs_1"}, Start.VERIFY_CHECKOUT, {"sessionId": "cs_1"}),
    ("post", "customer-portal"): (None, Start.PORTAL, {}),
}
every_start = pytest.mark.parametrize(("method", "path"), STARTS)


class BadSignature(DomainError):
    code = "signature_invalid"
    status = 400


@pytest.fixture
def patricia(cast: Cast) -> User:
    user = User.objects.create_user("patricia@countinghouse.example", is_staff=True)
    user.groups.add(Group.objects.get(name="platform-admin"))
    return user


def config(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{BILLING}/config").json()["config"]
    return found


def ask(client: Client, method: str, path: str) -> Any:
    body = STARTS[(method, path)][0]
    call = getattr(client, method)
    return call(f"{BILLING}/{path}", body, content_type="application/json") if body else call(f"{BILLING}/{path}")


def full_console(word: Any = "stripe", **more: Any) -> tuple[Console, list[Started]]:
    """A provider that starts everything there is, and what it was asked."""
    heard: list[Started] = []

    def start(started: Started) -> dict[str, Any]:
        heard.append(started)
        return {"url": "https://pay.example/1"}

    starts = dict.fromkeys(Start, start)
    return Console(word=word, starts=starts, webhook=lambda delivery: {"received": True}, **more), heard


@pytest.mark.parametrize("provider", ["none", "manual"])
def test_001_01_where_customers_can_start_nothing_the_console_is_told_none(
    cast: Cast, settings: Any, provider: str
) -> None:
    settings.BILLING_PROVIDER = provider
    assert config(signed_in(cast.alice)) == {"provider": "none", "features": NOTHING}


@pytest.mark.parametrize("word", ["stripe", "whmcs"])
def test_001_01_a_provider_is_told_by_the_seed_s_word_with_what_it_starts(cast: Cast, settings: Any, word: str) -> None:
    alice = signed_in(cast.alice)
    with provider_in_force(settings, full_console(word)[0]):
        assert config(alice) == {"provider": word, "features": EVERYTHING}
    with provider_in_force(settings, Console(word="whmcs", webhook=lambda delivery: {})):
        assert config(alice) == {"provider": "whmcs", "features": {**NOTHING, "webhooks": True}}
    with provider_in_force(settings, replace(full_console()[0], sandbox=True)):
        assert config(alice) == {"provider": "stripe", "features": EVERYTHING, "sandbox": True}


def test_001_02_a_switch_holds_from_the_next_request_on(cast: Cast, patricia: User, settings: Any) -> None:
    alice = signed_in(cast.alice)
    with provider_in_force(settings, full_console()[0]):
        settings.BILLING_PROVIDER = "manual"
        assert config(alice)["provider"] == "none"
        form = {"provider": "barter", "reason": "cards from today"}
        done = act(signed_in(patricia), reverse("admin:accounts_providerswitch_switch"), form)
        assert "Payments start with barter now." in done.text
        assert config(alice) == {"provider": "stripe", "features": EVERYTHING}
        assert ask(alice, "post", "customer-portal").status_code == 200
        call_command("switch_provider", "none", "--as", patricia.email, "--reason", "not yet", "--dry-run")
        assert config(alice)["provider"] == "stripe"
        call_command("switch_provider", "none", "--as", patricia.email, "--reason", "not yet")
        assert config(alice) == {"provider": "none", "features": NOTHING}
        assert ask(alice, "post", "customer-portal").status_code == 404
    rows = ProviderSwitch.objects.order_by("pk").values_list("replaced", "provider", "reason")
    assert list(rows) == [("manual", "barter", "cards from today"), ("barter", "none", "not yet")]
    assert AuditLog.objects.filter(action="billing_provider.switch", actor=patricia).count() == 2


def test_001_02_finance_staff_may_not_switch(cast: Cast) -> None:
    page = reverse("admin:accounts_providerswitch_switch")
    assert {signed_in(user).get(page).status_code for user in (cast.dana, cast.erin)} == {403}


@every_start
@pytest.mark.parametrize("provider", ["none", "manual"])
def test_001_03_a_route_that_is_not_mounted_is_404_whoever_asks(
    cast: Cast, settings: Any, provider: str, method: str, path: str
) -> None:
    """The seed's router is not there at all, so nobody is asked for a token."""
    settings.BILLING_PROVIDER = provider
    for client in (signed_in(cast.alice), signed_in(cast.bob), Client(), bearing("nonsense")):
        mounted = ask(client, method, path)
        unknown = client.post(f"{BILLING}/nothing-of-the-kind")
        assert refusal(mounted) == refusal(unknown) == (404, "Not found", {})
        assert set(mounted.headers) == set(unknown.headers)


def test_001_03_one_route_alone_may_be_mounted(cast: Cast, settings: Any) -> None:
    alice = signed_in(cast.alice)
    portal = Console(word="stripe", starts={Start.PORTAL: lambda started: {"url": "https://pay.example/1"}})
    with provider_in_force(settings, portal):
        assert config(alice)["features"] == {**NOTHING, "portal": True}
        answered = {key: ask(alice, *key).status_code for key in STARTS}
    assert [key for key, status in answered.items() if status == 200] == [("post", "customer-portal")]
    assert set(answered.values()) == {200, 404}


@every_start
def test_001_03_a_mounted_route_asks_the_provider_in_the_admin_s_name(
    cast: Cast, settings: Any, method: str, path: str
) -> None:
    console, heard = full_console()
    _, start, words = STARTS[(method, path)]
    let_in(cast, cast.bob, cast.project)
    with provider_in_force(settings, console):
        assert refusal(ask(Client(), method, path))[:2] == (401, "Authentication token required")
        if start != Start.VERIFY_CHECKOUT:  # whoever came back from the checkout may ask
            assert refusal(ask(signed_in(cast.bob), method, path))[0] == 403
        assert refusal(ask(signed_in(cast.erin), method, path))[0] == 400  # of which organization?
        assert heard == []
        answer = ask(signed_in(cast.alice), method, path)
        assert (answer.status_code, answer.json()) == (200, {"success": True, "url": "https://pay.example/1"})
    assert [(one.organization, one.caller.user, one.given) for one in heard] == [(cast.acme, cast.alice, words)]


def test_001_03_what_a_provider_refuses_is_said_in_the_envelope(cast: Cast, settings: Any) -> None:
    def refuse(started: Started) -> dict[str, Any]:
        raise Conflict("usage is above that plan", field="planId", code="usage_above_plan")

    alice = signed_in(cast.alice)
    with provider_in_force(settings, Console(starts={Start.CHANGE_PLAN: refuse})):
        answer = ask(alice, "put", "organization-subscription")
        said = {"code": "usage_above_plan", "field": "planId"}
        assert refusal(answer) == (409, "Usage is above that plan", said)
        twice = '{"planId":"a","planId":"b"}'
        for body in ("{}", "[]", '{"planId": 1}', '{"planId": ""}', "{", '{"planId": null}', twice):
            answer = alice.put(f"{BILLING}/organization-subscription", body, content_type="application/json")
            assert refusal(answer)[0] == 400, body
        answer = alice.put(f"{BILLING}/organization-subscription", "planId=a", content_type="text/plain")
        assert refusal(answer)[0] == 415


def test_001_03_events_come_in_raw_and_signed_by_nobody_who_signed_in(cast: Cast, settings: Any) -> None:
    heard: list[Delivery] = []

    def take(delivery: Delivery) -> dict[str, Any]:
        heard.append(delivery)
        if delivery.headers.get("Stripe-Signature") != "right":
            raise BadSignature("the signature is wrong")
        return {"received": True}

    with provider_in_force(settings, Console(word="stripe", webhook=take)):
        sent = b'{"id": "evt_1",  "odd": 1.50}'
        answer = Client().post(
            f"{BILLING}/webhook", sent, content_type="application/json", headers={"Stripe-Signature": "right"}
        )
        assert answer.json() == {"success": True, "received": True}
        assert heard[0].body == sent
        answer = Client().post(f"{BILLING}/webhook", sent, content_type="text/plain")
        assert refusal(answer)[0] == 400
        assert refusal(Client().get(f"{BILLING}/webhook"))[0] == 404


def test_001_03_the_door_of_a_provider_that_owns_something_stays_open(cast: Cast, settings: Any) -> None:
    """001-39 begins here: switched off, it starts nothing more, but what it began can still be told."""
    console, _ = full_console()
    with provider_in_force(settings, console) as provider:
        provider.owns_objects = lambda: True  # type: ignore[method-assign]
        settings.BILLING_PROVIDER = "manual"
        assert registry.active().name == "manual"
        answer = Client().post(f"{BILLING}/webhook", b"{}", content_type="application/json")
        assert answer.json() == {"success": True, "received": True}
        assert ask(signed_in(cast.alice), "post", "customer-portal").status_code == 404
        provider.owns_objects = lambda: False  # type: ignore[method-assign]
        assert Client().post(f"{BILLING}/webhook", b"{}", content_type="application/json").status_code == 404
