"""Every act through its page: previewed, done once, and refused without a trace."""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core import signing
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from accounts import one_time_tokens
from accounts.admin.act_pages import ActPage
from accounts.audit import person
from accounts.clock import now
from accounts.models import ApprovalRequest, AuditLog, User
from accounts.policy import set_value
from accounts.public_ids import decode
from payments.models import BankTransfer
from quotas import allocations
from quotas.admin.catalog_editor import EditDraft
from quotas.admin.catalog_edits import AddAddOn, AddPlan, EditAddOn, EditPlan, EditSections
from quotas.admin.catalog_fields import typed
from quotas.catalog import writing
from quotas.catalog.document import parse
from tests.billing_site.acts_scene import BAD_AMOUNTS, BAD_QUANTITIES, BAD_REASONS, ActsScene
from tests.cast import Cast
from tests.quotas.plans import another_document, catalog_document
from tests.row_counts import row_counts

REASON = "the desk decided so"


@dataclass(frozen=True)
class Case:
    """A page: which row its address names, a valid form, and the fields that hold numbers."""

    form: Callable[[ActsScene], dict[str, str]]
    row: Callable[[ActsScene], int] | None = None
    amount: str = ""
    bad_amounts: tuple[str, ...] = ()
    by: str = "dana"
    reasoned: bool = True
    another: dict[str, str] | None = None  # a field of the form with another value, where there is no reason to change
    answered: int = 302  # 200 where the answer itself shows what is shown once
    repeats: str = ""  # the code of a second preview's act after the first was done; empty where it may be done again


def _money(scene: ActsScene) -> dict[str, str]:
    return {"billing_account": scene.cast.prepaid.public_id, "amount_minor": "250", "currency": "USD"}


def _transfer(scene: ActsScene) -> dict[str, str]:
    day = BankTransfer.objects.get(reference="STMT-1").value_date.isoformat()
    return {**_money(scene), "value_date": day, "reference": "STMT-2"}


def _policy(scene: ActsScene) -> dict[str, str]:
    return {"key": "quotas.projects_limit", "subject": scene.cast.acme.public_id, "seen": ""}


def _transaction(scene: ActsScene) -> int:
    return decode("tx", scene.transaction) or 0


def _edit(page: type[EditDraft], listed: str, *, amount: str, **changes: str) -> Case:
    """An edit of the draft: its form as it is opened, the amount changed."""

    def form(scene: ActsScene) -> dict[str, str]:
        document = another_document()
        section = document[page.section][listed] if listed else document
        shown = {name: value for name, value in typed(page.groups, section).items() if value is not False}
        code = {"code": listed} if listed else {}
        return {**code, **shown, "seen": scene.draft.sha256, **changes, amount: "7"}

    bad = tuple(text for text in BAD_AMOUNTS if text not in ("0", "1.5", "1000000000000001"))
    another = {amount: "8"}
    return Case(
        form,
        lambda scene: scene.draft.pk,
        amount=amount,
        bad_amounts=bad,
        reasoned=False,
        another=another,
        repeats="draft_changed",
    )


_RATE = {
    "sku": "gpu",
    "currency": "USD",
    "rate_per_unit_hour": "3.10",
    "effective_from": "2090-01-01T00:00:00Z",
}
_FINE_AS_RATE = ("0", "1.5", "0.0000001")
_BAD_CORES = ("1_000", "１００", "NaN", "-1", "1e400", "1,000", "+5", "0.0000000001", "4 cores", "1e-10")
_BAD_COUNTS = tuple(amount for amount in BAD_AMOUNTS if amount != "0" and " " not in amount and "," not in amount)

CASES = {
    "ledger_ledgerentry_adjust": Case(_money, amount="amount_minor", bad_amounts=BAD_AMOUNTS),
    "ledger_ledgerentry_grant": Case(_money, amount="amount_minor", bad_amounts=(*BAD_AMOUNTS, "-1")),
    "ledger_ledgertransaction_correct": Case(lambda scene: {}, _transaction, repeats="already_posted"),
    "payments_banktransfer_record": Case(
        _transfer, amount="amount_minor", bad_amounts=(*BAD_AMOUNTS, "-1"), repeats="reference_used"
    ),
    "quotas_allocation_start": Case(
        lambda scene: {
            "project": scene.cast.project.public_id,
            "sku": "gpu",
            "quantity": "2.5",
            "external_id": "job-1",
        },
        amount="quantity",
        bad_amounts=BAD_QUANTITIES,
        repeats="external_id_taken",
    ),
    "quotas_allocation_resize": Case(
        lambda scene: {"quantity": "7"}, lambda scene: scene.running.pk, amount="quantity", bad_amounts=BAD_QUANTITIES
    ),
    "quotas_allocation_release": Case(lambda scene: {}, lambda scene: scene.running.pk),
    "quotas_allocation_complete": Case(
        lambda scene: {"completed_at": ""}, lambda scene: scene.releasing.pk, repeats="wrong_status"
    ),
    "quotas_skurate_set": Case(
        lambda scene: _RATE,
        amount="rate_per_unit_hour",
        bad_amounts=tuple(amount for amount in BAD_QUANTITIES if amount not in _FINE_AS_RATE),
        reasoned=False,
        another={"rate_per_unit_hour": "3.2"},
        repeats="rate_exists",
    ),
    "accounts_organization_open": Case(
        lambda scene: {"name": "Nova", "slug": "nova", "owner": "nora@nova.example"}, repeats="conflict"
    ),
    "accounts_organization_project": Case(
        lambda scene: {"name": "Nova", "slug": "nova"}, lambda scene: scene.cast.acme.pk, repeats="conflict"
    ),
    "accounts_organization_account": Case(
        lambda scene: {
            "name": "Third",
            "currency": "USD",
            "settlement": "postpaid",
            "legal_entity": scene.cast.entity.public_id,
        },
        lambda scene: scene.cast.acme.pk,
    ),
    "accounts_organization_grantfeature": Case(
        lambda scene: {"feature": "multi-billing-accounts"},
        lambda scene: scene.cast.strangers.pk,
        repeats="already_granted",
    ),
    "accounts_organization_revokefeature": Case(
        lambda scene: {"feature": "multi-billing-accounts"}, lambda scene: scene.cast.acme.pk, repeats="not_granted"
    ),
    "accounts_organization_member": Case(
        lambda scene: {"email": "Charlie@else.example", "role": "billing-viewer"},
        lambda scene: scene.cast.acme.pk,
        repeats="already_member",
    ),
    "accounts_organization_apikey": Case(
        lambda scene: {"name": "console", "scopes": "billing:read", "expires_in_days": "30"},
        lambda scene: scene.cast.acme.pk,
        amount="expires_in_days",
        bad_amounts=tuple(amount for amount in BAD_AMOUNTS if amount.strip()),
        answered=200,
        repeats="two_keys_alive",
    ),
    "accounts_membership_role": Case(
        lambda scene: {"role": "guest"}, lambda scene: scene.bob.pk, repeats="nothing_changes"
    ),
    "accounts_membership_withdraw": Case(lambda scene: {}, lambda scene: scene.bob.pk, repeats="withdrawn"),
    "accounts_membership_letin": Case(
        lambda scene: {"project": scene.free.public_id}, lambda scene: scene.bob.pk, repeats="already_let_in"
    ),
    "accounts_membership_letout": Case(
        lambda scene: {"project": scene.cast.project.public_id}, lambda scene: scene.bob.pk, repeats="not_let_in"
    ),
    "accounts_apikey_create": Case(
        lambda scene: {"name": "provisioner", "scopes": "releases:confirm", "expires_in_days": ""},
        by="patricia",
        answered=200,
    ),
    "accounts_apikey_rotate": Case(
        lambda scene: {"expires_in_days": "30"},
        lambda scene: scene.key.pk,
        amount="expires_in_days",
        bad_amounts=("0", "1.5", "366", "１０", "-1", "x"),
        answered=200,
        repeats="two_keys_alive",
    ),
    "accounts_apikey_rotateany": Case(
        lambda scene: {"expires_in_days": ""},
        lambda scene: scene.platform_key.pk,
        by="patricia",
        answered=200,
        repeats="two_keys_alive",
    ),
    "accounts_apikey_revoke": Case(lambda scene: {}, lambda scene: scene.key.pk, repeats="already_revoked"),
    "accounts_apikey_revokeany": Case(
        lambda scene: {}, lambda scene: scene.platform_key.pk, by="patricia", repeats="already_revoked"
    ),
    "accounts_organization_issuer": Case(
        lambda scene: {"issuer": scene.issuer.issuer},
        lambda scene: scene.cast.acme.pk,
        by="patricia",
        repeats="nothing_changes",
    ),
    "accounts_trustedissuer_set": Case(
        lambda scene: {
            "issuer": "https://id.example/realms/cloud",
            "jwks_uri": "https://id.example/realms/cloud/keys",
            "audience": "countinghouse",
            "algorithms": "ES256",
            "trusted": "yes",
            "active": "yes",
        },
        by="patricia",
        repeats="nothing_changes",
    ),
    "accounts_organization_close": Case(lambda scene: {}, lambda scene: scene.cast.strangers.pk, repeats="closed"),
    "accounts_project_bind": Case(
        lambda scene: {"billing_account": scene.empty.public_id}, lambda scene: scene.free.pk, repeats="already_bound"
    ),
    "accounts_project_rebind": Case(
        lambda scene: {"billing_account": scene.empty.public_id},
        lambda scene: scene.cast.postpaid_project.pk,
        repeats="already_bound",
    ),
    "accounts_project_close": Case(lambda scene: {}, lambda scene: scene.free.pk, repeats="closed"),
    "accounts_billingaccount_remove": Case(lambda scene: {}, lambda scene: scene.empty.pk, repeats="already_deleted"),
    "accounts_billingaccount_terms": Case(
        lambda scene: {"net_days": "45", "invoice_frequency": "Quarterly", "invoice_day": "15"},
        lambda scene: scene.cast.prepaid.pk,
        amount="net_days",
        bad_amounts=BAD_AMOUNTS,
        repeats="nothing_changes",
    ),
    "accounts_billingaccount_timezone": Case(
        lambda scene: {"time_zone": "Europe/Berlin"}, lambda scene: scene.cast.prepaid.pk, repeats="nothing_changes"
    ),
    "accounts_billingaccount_contact": Case(
        lambda scene: {"email": "billing@acme.example", "contact_name": "Ann Bill", "business_name": ""},
        lambda scene: scene.cast.prepaid.pk,
        repeats="nothing_changes",
    ),
    "accounts_billingaccount_emails": Case(
        lambda scene: {"invoice_emails": "b@acme.example\na@acme.example"},
        lambda scene: scene.cast.prepaid.pk,
        repeats="nothing_changes",
    ),
    "accounts_billingaccount_address": Case(
        lambda scene: {
            "country": "GB",
            "line1": "1 High Street",
            "line2": "",
            "postal_code": "",
            "city": "Leeds",
            "region": "",
        },
        lambda scene: scene.cast.prepaid.pk,
        repeats="nothing_changes",
    ),
    "accounts_billingaccount_taxids": Case(
        lambda scene: {"tax_ids": "gb_vat GB123456789"}, lambda scene: scene.cast.prepaid.pk, repeats="nothing_changes"
    ),
    "quotas_subscription_assign": Case(
        lambda scene: {
            "organization": scene.cast.acme.public_id,
            "plan": "scale-pool",
            "addons": "turbo-x1=3\nturbo-x2=2",
            "billing_account": scene.cast.prepaid.public_id,
            "interval": "month",
            "time_zone": "Europe/Berlin",
        },
        amount="addons",
        bad_amounts=tuple(f"turbo-x1={count}" for count in (*_BAD_COUNTS, "100001")),
    ),
    "quotas_limit_setquota": Case(
        lambda scene: {"cpu": "4", "memory": "16Gi"},
        lambda scene: scene.cast.project.pk,
        amount="cpu",
        bad_amounts=_BAD_CORES,
    ),
    "quotas_limit_removequota": Case(lambda scene: {}, lambda scene: scene.cast.postpaid_project.pk, repeats="not_set"),
    **{
        f"quotas_subscription_{act}": Case(
            lambda scene: {}, lambda scene, status=status: scene.subscriptions[status].pk, repeats="wrong_status"
        )
        for act, status in (
            *(("cancel", "active"), ("keep", "canceling"), ("overdue", "active"), ("paid", "past_due")),
            *(("suspend", "active"), ("resubscribe", "suspended")),
        )
    },
    "quotas_catalogrefusal_end": Case(lambda scene: {}, lambda scene: scene.refusal.pk, repeats="alarm_over"),
    "quotas_catalogversion_upload": Case(
        lambda scene: {"document": writing.write(parse(catalog_document(addons={}))), "source": "plans.yaml"},
        reasoned=False,
        another={"source": "other.yaml"},
    ),
    "quotas_catalogversion_publish": Case(
        lambda scene: {"existing": "keep"}, lambda scene: scene.draft.pk, repeats="not_a_draft"
    ),
    "quotas_catalogversion_discard": Case(lambda scene: {}, lambda scene: scene.draft.pk, repeats="not_a_draft"),
    "quotas_catalogversion_plan": _edit(EditPlan, "pro-pool", amount="price"),
    "quotas_catalogversion_addplan": _edit(AddPlan, "pro-pool", amount="pods", code="gpu-pool", display_name="GPU"),
    "quotas_catalogversion_addon": _edit(EditAddOn, "turbo-x1", amount="price"),
    "quotas_catalogversion_addaddon": _edit(
        AddAddOn, "turbo-x1", amount="price", code="turbo-x4", display_name="Turbo x4"
    ),
    "quotas_catalogversion_section": _edit(EditSections, "", amount="suspended_pods"),
    "quotas_catalogversion_remove": Case(
        lambda scene: {"kind": "plan", "code": "lab", "seen": scene.draft.sha256},
        lambda scene: scene.draft.pk,
        reasoned=False,
        another={"code": "dev-pool"},
        repeats="draft_changed",
    ),
    "accounts_billingaccount_suspend": Case(
        lambda scene: {}, lambda scene: scene.cast.prepaid.pk, repeats="wrong_phase"
    ),
    "accounts_billingaccount_reactivate": Case(
        lambda scene: {}, lambda scene: scene.suspended.pk, repeats="wrong_phase"
    ),
    "accounts_billingaccount_archive": Case(lambda scene: {}, lambda scene: scene.empty.pk, repeats="wrong_phase"),
    "ledger_accrualschedule_retry": Case(lambda scene: {}, lambda scene: scene.parked.pk),
    "accounts_outboxdelivery_replay": Case(lambda scene: {}, lambda scene: scene.dead.pk, repeats="not_dead"),
    "accounts_policyvalue_set": Case(
        lambda scene: {**_policy(scene), "value": "20"},
        amount="value",
        bad_amounts=tuple(amount for amount in BAD_AMOUNTS if amount != "0"),
    ),
    "accounts_policyvalue_unset": Case(_policy, repeats="not_set"),
    "accounts_user_access": Case(
        lambda scene: {"active": "on", "staff": "on", "groups": "finance-viewer"},
        lambda scene: scene.cast.erin.pk,
        by="patricia",
    ),
    "accounts_providerswitch_switch": Case(lambda scene: {"provider": "none"}, by="patricia", repeats="in_force"),
}

CASES |= {
    "quotas_meter_define": Case(
        lambda scene: {"metric": "net.bytes", "display_name": "Traffic", "unit": "By", "aggregation": "Sum"},
        repeats="meter_exists",
    ),
    "quotas_meter_extend": Case(lambda scene: {"dimensions": "class, zone"}, lambda scene: scene.book.meter.pk),
    "quotas_meter_advance": Case(lambda scene: {}, lambda scene: scene.book.meter.pk),
    "quotas_serviceprice_save": Case(
        lambda scene: {
            "code": "gpu-acme",
            "charge_type": "Usage",
            "currency": "USD",
            "metric": "gpu.hours",
            "document": '{"tiered": [{"upTo": "100", "rate": "2"}, {"rate": "1.5"}], "minimum": "10"}',
            "billing_account": scene.cast.prepaid.public_id,
        }
    ),
    "quotas_offer_save": Case(
        lambda scene: {"code": "small", "display_name": "Small", "charge_types": "Usage", "prices": "gpu, gpu-startup"}
    ),
    "quotas_offer_publish": Case(lambda scene: {}, lambda scene: scene.book.draft.pk, repeats="offer_published"),
    "quotas_offer_rename": Case(lambda scene: {"display_name": "Basic 2026"}, lambda scene: scene.book.offer.pk),
    "quotas_billingentitlement_assign": Case(
        lambda scene: {"billing_account": scene.cast.postpaid.public_id, "offer": "basic"}, repeats="already_assigned"
    ),
    "quotas_customersegment_open": Case(
        lambda scene: {"code": "uni", "segment_name": "Universities"}, repeats="segment_exists"
    ),
    "quotas_segmentmembership_place": Case(
        lambda scene: {"billing_account": scene.cast.prepaid.public_id, "segment": "startup"}, repeats="already_there"
    ),
    "quotas_accountdiscount_grant": Case(
        lambda scene: {"billing_account": scene.cast.prepaid.public_id, "amount_minor": "500", "times": "3"},
        amount="amount_minor",
        bad_amounts=tuple(amount for amount in (*BAD_AMOUNTS, "-1") if amount.strip()),
    ),
    "quotas_accountdiscount_withdraw": Case(
        lambda scene: {}, lambda scene: scene.book.discount.pk, repeats="withdrawn_already"
    ),
    "quotas_accountcommitment_grant": Case(
        lambda scene: {
            "billing_account": scene.cast.prepaid.public_id,
            "metric": "gpu.hours",
            "amount_minor": "120000",
            "months": "12",
            "paid": "arrears",
        },
        amount="amount_minor",
        bad_amounts=(*BAD_AMOUNTS, "-1"),
        repeats="terms_overlap",
    ),
    "quotas_accountcommitment_draw": Case(
        lambda scene: {"quantity": "12.5"},
        lambda scene: scene.book.commitment.pk,
        amount="quantity",
        bad_amounts=BAD_QUANTITIES,
        repeats="term_over",
    ),
}

every_page = pytest.mark.parametrize("name", CASES)


@pytest.fixture
def scene(cast: Cast, acts_scene: ActsScene) -> ActsScene:
    patricia = User.objects.create_user("patricia@countinghouse.example", is_staff=True)
    patricia.groups.add(Group.objects.get(name="platform-admin"))
    set_value(
        "quotas.projects_limit",
        30,
        scope="tenant",
        scope_id=cast.acme.pk,
        actor=person(cast.dana),
        reason="a small one",
        at=now(),
    )
    return acts_scene


def page_of(name: str, scene: ActsScene) -> str:
    row = CASES[name].row
    return reverse(f"admin:{name}", args=[row(scene)] if row else [])


def form_of(name: str, scene: ActsScene, **changes: str) -> dict[str, str]:
    reason = {"reason": REASON} if CASES[name].reasoned else {}
    return CASES[name].form(scene) | reason | changes


def user_of(name: str, scene: ActsScene) -> User:
    if CASES[name].by == "patricia":
        return User.objects.get(email__startswith="patricia")
    user: User = getattr(scene.cast, CASES[name].by)
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sent(response: Any) -> dict[str, Any]:
    """The hidden fields of a preview: what its button sends."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', response.text)
    values = {name: unescape(value) for name, value in found}
    assert "token" in values, response.text
    return values


def previewed(client: Client, name: str, scene: ActsScene) -> dict[str, Any]:
    response = client.post(page_of(name, scene), form_of(name, scene))
    assert response.status_code == 200, response.text
    return sent(response)


def act_pages() -> Iterator[str]:
    for model, model_admin in admin.site._registry.items():
        for page in getattr(model_admin, "act_pages", ()):
            if issubclass(page, ActPage):
                yield f"{model._meta.app_label}_{model._meta.model_name}_{page.name}"


def test_every_page_of_an_act_is_in_the_table() -> None:
    assert sorted(act_pages()) == sorted(CASES)


@every_page
def test_it_is_previewed_without_a_trace_and_done_once(scene: ActsScene, name: str) -> None:
    user = user_of(name, scene)
    client = signed_in(user)
    page = page_of(name, scene)
    before = row_counts()
    assert client.get(page).status_code == 200
    first, twin = previewed(client, name, scene), previewed(client, name, scene)
    assert row_counts() == before
    done = client.post(page, first)
    assert done.status_code == CASES[name].answered, done.text
    assert AuditLog.objects.filter(actor=user).exists()
    row = AuditLog.objects.latest("pk")
    assert row.actor == user
    assert row.reason == (REASON if CASES[name].reasoned else "")
    if done.status_code == 302:
        assert client.get(done.url).status_code == 200
    after = row_counts()
    assert after["used_form_tokens"] == before["used_form_tokens"] + 1
    replayed = client.post(page, first)
    assert replayed.status_code in (404, 409)
    assert "nothing was done twice" in replayed.text
    assert row_counts() == after
    if code := CASES[name].repeats:
        again = client.post(page, twin)
        assert again.status_code == 409
        assert f"({code})" in again.text
        assert row_counts() == after


@every_page
def test_a_token_that_is_stale_forged_or_another_s_does_nothing(
    scene: ActsScene, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(user_of(name, scene))
    page = page_of(name, scene)
    form = previewed(client, name, scene)
    root = signed_in(User.objects.create_superuser("root@countinghouse.example"))
    before = row_counts()
    for token in ("", "forged", form["token"][:-1], form["token"] + "x", "\x00", "a" * 5000):
        response = client.post(page, {**form, "token": token})
        assert response.status_code == 409, token
        assert "form_token_used" in response.text
    assert root.post(page, form).status_code == 409
    changed = {**form, **(CASES[name].another or {"reason": "another reason"})}
    assert client.post(page, changed).status_code == 409
    real = signing.time.time
    monkeypatch.setattr(signing.time, "time", lambda: real() + one_time_tokens.MAXIMUM_AGE_SECONDS + 1)
    assert client.post(page, form).status_code == 409
    after = row_counts()
    assert after == before


@every_page
def test_only_those_whose_role_allows_it_see_the_page_or_act(scene: ActsScene, name: str) -> None:
    page = page_of(name, scene)
    form = previewed(signed_in(user_of(name, scene)), name, scene)
    viewer = User.objects.create_user("viewer@countinghouse.example", is_staff=True)
    viewer.groups.add(Group.objects.get(name="finance-viewer"))
    other = scene.cast.dana if CASES[name].by == "patricia" else User.objects.get(email__startswith="patricia")
    clients = [(signed_in(user), user) for user in (viewer, other, scene.cast.erin, scene.cast.alice)]
    before = row_counts()
    for client, user in clients:
        outside = user == scene.cast.alice
        for response in (client.get(page), client.post(page, form_of(name, scene)), client.post(page, form)):
            assert response.status_code == (302 if outside else 403)
    assert Client().post(page, form).status_code == 302
    assert row_counts() == before


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.row])
def test_a_row_that_does_not_exist_is_not_found(scene: ActsScene, name: str) -> None:
    client = signed_in(user_of(name, scene))
    before = row_counts()
    for key in (10**12, 2**63 - 1, 2**63, 10**30):
        page = reverse(f"admin:{name}", args=[key])
        for response in (client.get(page), client.post(page, form_of(name, scene))):
            assert response.status_code == 404, (name, key, response.status_code)
        assert client.post(page, form_of(name, scene, token="forged")).status_code in (404, 409)
    assert row_counts() == before


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.amount])
def test_what_is_no_amount_is_refused_on_its_field(scene: ActsScene, name: str) -> None:
    case = CASES[name]
    client = signed_in(user_of(name, scene))
    page = page_of(name, scene)
    before = row_counts()
    for amount in (*case.bad_amounts, "nul\x00"):
        response = client.post(page, form_of(name, scene, **{case.amount: amount}))
        assert response.status_code == 422, (amount, response.status_code)
        assert response.context["form"].errors.get(case.amount), amount
    assert row_counts() == before


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.reasoned])
def test_without_a_reason_nothing_is_done(scene: ActsScene, name: str) -> None:
    client = signed_in(user_of(name, scene))
    page = page_of(name, scene)
    before = row_counts()
    for reason in BAD_REASONS:
        response = client.post(page, form_of(name, scene, reason=reason))
        if response.status_code == 200:  # the act itself says it
            response = client.post(page, sent(response))
        assert response.status_code == 422, reason
        assert response.context["form"].errors.get("reason"), reason
    assert row_counts() == before


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("project", "prj_zzzzzzzzzzzzz", "not_found"),
        ("project", "prj_0000000zzzzzz", "not_found"),
        ("project", "1", "not_found"),
        ("sku", "nothing", "not_found"),
        ("sku", "gpu\x00", "Null characters"),
        ("external_id", "x" * 256, "at most 255"),
    ],
)
def test_bad_input_of_a_start_is_refused_on_its_field(scene: ActsScene, field: str, value: str, code: str) -> None:
    name = "quotas_allocation_start"
    client = signed_in(scene.cast.dana)
    before = row_counts()
    response = client.post(page_of(name, scene), form_of(name, scene, **{field: value}))
    assert response.status_code == 422
    assert code in " ".join(str(error) for error in response.context["form"].errors[field])
    assert row_counts() == before


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2090-01-01T00:00:00Z", "time_invalid"),
        ("2026-03-10T12:00:00", "time_invalid"),
        ("noon", "time_invalid"),
        ("10000-01-01T00:00:00Z", "time_invalid"),
        ("2001-01-01T00:00:00Z", "release_before_start"),
    ],
)
def test_a_wrong_moment_of_release_is_said_with_the_preview(scene: ActsScene, moment: str, code: str) -> None:
    name = "quotas_allocation_complete"
    client = signed_in(scene.cast.dana)
    before = row_counts()
    response = client.post(page_of(name, scene), form_of(name, scene, completed_at=moment))
    assert response.status_code == 422
    assert f"({code})" in " ".join(str(error) for error in response.context["form"].errors["completed_at"])
    assert row_counts() == before


def test_what_would_be_refused_is_said_with_the_preview(scene: ActsScene) -> None:
    client = signed_in(scene.cast.dana)
    before = row_counts()
    for name, row, code in (
        ("accounts_billingaccount_suspend", scene.suspended.pk, "wrong_phase"),
        ("accounts_billingaccount_reactivate", scene.empty.pk, "wrong_phase"),
        ("accounts_billingaccount_archive", scene.cast.prepaid.pk, "has_running_allocations"),
        ("quotas_allocation_release", scene.releasing.pk, "wrong_status"),
        ("ledger_accrualschedule_retry", scene.cast.prepaid.pk, "not_parked"),
    ):
        response = client.post(reverse(f"admin:{name}", args=[row]), form_of(name, scene))
        assert response.status_code == 409, name
        assert f"({code})" in response.text, name
    assert row_counts() == before


def test_a_preview_says_who_pays_what_it_costs_and_what_is_left(scene: ActsScene) -> None:
    client = signed_in(scene.cast.dana)
    start = client.post(page_of("quotas_allocation_start", scene), form_of("quotas_allocation_start", scene)).text
    for said in (scene.cast.prepaid.public_id, "2.50 USD per GPU and hour", "6.25 USD", "100.00 USD", "job-1"):
        assert said in start
    resize = client.post(page_of("quotas_allocation_resize", scene), form_of("quotas_allocation_resize", scene)).text
    for said in ("2.00 GPU", "7.00 GPU", "5.00 USD", "17.50 USD"):
        assert said in resize
    archive = client.post(
        page_of("accounts_billingaccount_archive", scene), form_of("accounts_billingaccount_archive", scene)
    ).text
    assert "cannot be undone" in archive


def test_links_to_the_acts_stand_where_they_may_be_done(scene: ActsScene) -> None:
    def text(client: Client, name: str, row: int) -> str:
        return client.get(reverse(f"admin:{name}_change", args=[row])).text

    dana = signed_in(scene.cast.dana)
    erin = signed_in(scene.cast.erin)
    account = "accounts_billingaccount"
    ready, suspended = text(dana, account, scene.empty.pk), text(dana, account, scene.suspended.pk)
    assert "/suspend/" in ready
    assert "/archive/" in ready
    assert "/reactivate/" not in ready
    assert "/reactivate/" in suspended
    assert "/suspend/" not in suspended
    assert "/retry/" in text(dana, account, scene.parked.pk)
    assert "/retry/" in text(dana, "ledger_accrualschedule", scene.parked.pk)
    assert "/retry/" not in text(dana, "ledger_accrualschedule", scene.cast.prepaid.pk)
    assert "/release/" in text(dana, "quotas_allocation", scene.running.pk)
    assert "/release/" not in text(dana, "quotas_allocation", scene.releasing.pk)
    assert "/complete/" in text(dana, "quotas_allocation", scene.releasing.pk)
    for name, row in ((account, scene.empty.pk), ("quotas_allocation", scene.running.pk)):
        shown = text(erin, name, row)
        assert not any(f"/{act}/" in shown for act in ("suspend", "archive", "resize", "release", "complete"))


def test_a_busy_account_is_said_with_the_preview(scene: ActsScene, monkeypatch: pytest.MonkeyPatch) -> None:
    def waits_too_long(*_: Any, **__: Any) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(allocations, "start", waits_too_long)
    name = "quotas_allocation_start"
    client = signed_in(scene.cast.dana)
    before = row_counts()
    response = client.post(page_of(name, scene), form_of(name, scene))
    assert response.status_code == 422
    assert "try again (busy)" in response.text
    assert row_counts() == before


def test_whoever_asked_on_the_page_does_not_decide_by_the_command_and_the_other_way_round(scene: ActsScene) -> None:
    """Maker and checker are two people, whichever doors they come by."""
    root = User.objects.create_superuser("root@countinghouse.example")
    client = signed_in(root)
    name = "ledger_ledgerentry_adjust"
    preview = client.post(page_of(name, scene), form_of(name, scene, amount_minor="20000"))
    client.post(page_of(name, scene), sent(preview))
    by_page = ApprovalRequest.objects.latest("pk")
    account = scene.cast.prepaid.public_id
    options = ["--amount-minor=20001", "--currency=USD", f"--reason={REASON}", f"--as={root.email}"]
    call_command("adjust_account", account, *options, stdout=io.StringIO())
    by_command = ApprovalRequest.objects.latest("pk")
    assert (by_page.amount_minor, by_command.amount_minor) == (20_000, 20_001)
    token = one_time_tokens.issue(root, f"approval.decide:{by_command.pk}")
    before = row_counts()
    with pytest.raises(CommandError, match="maker_is_checker: "):
        call_command("decide_approval", "approve", by_page.public_id, f"--as={root.email}", stdout=io.StringIO())
    decide = reverse("admin:accounts_approvalrequest_decide", args=[by_command.pk])
    answer = client.post(decide, {"decision": "approve", "token": token}, follow=True)
    assert "(maker_is_checker)" in answer.text
    assert row_counts() == before
    for asked in (by_page, by_command):
        asked.refresh_from_db()
        assert asked.state == "pending"
