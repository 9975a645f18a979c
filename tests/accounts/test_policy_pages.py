"""The pages of policies: every key of a subject, where a value comes from, typed forms, history, bad input."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts import approvals, policy
from accounts.admin.policy_links import link
from accounts.clock import now
from accounts.lifecycle import open_billing_account, open_organization
from accounts.models import ApprovalRequest, AuditLog, PolicyValue, UsedFormToken
from accounts.policy_keys import KEYS
from quotas.allocations import start
from tests.billing_site.test_back_office_acts import BAD_AMOUNTS, previewed, sent, signed_in
from tests.cast import ACTOR, NOON, Cast

SET = "admin:accounts_policyvalue_set"
UNSET = "admin:accounts_policyvalue_unset"
WINDOW = "billing.window_seconds"
REFUND_DAYS = "allocation.refund_window_days"
CREDIT = "approvals.credit_minor"


def put(key: str, value: object, scope: str = "global", scope_id: int | None = None, **changes: Any) -> PolicyValue:
    facts = {"actor": ACTOR, "reason": "for a test", "at": NOON} | changes
    return policy.set_value(key, value, scope=scope, scope_id=scope_id, **facts)


@pytest.fixture
def dana(cast: Cast) -> Client:
    return signed_in(cast.dana)


def set_form(key: str, value: str, subject: str = "", **changes: str) -> dict[str, str]:
    form = {"key": key, "subject": subject, "value": value, "reason": "for the test"}
    return form | ({"currency": ""} if KEYS[key].kind == "money" else {}) | changes


def written() -> tuple[int, ...]:
    return tuple(
        model.objects.count()
        for model in (PolicyValue, PolicyValue.history.model, AuditLog, ApprovalRequest, UsedFormToken)
    )


def errors_of(response: Any, field: str) -> str:
    return " ".join(str(error) for error in response.context["form"].errors.get(field, []))


def row_of(response: HttpResponse, key: str) -> str:
    """The line of a key on a page, as text."""
    found = re.search(rf'<tr id="{re.escape(key)}">(.*?)</tr>', response.text, re.DOTALL)
    assert found, f"{key} is not on the page"
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[1])).split()).replace(" : ", ": ")


def test_the_page_of_each_subject_has_exactly_its_keys(cast: Cast, dana: Client) -> None:
    for public_id, scope in (
        ("", "global"),
        (cast.acme.public_id, "tenant"),
        (cast.project.public_id, "project"),
        (cast.alice.public_id, "user"),
    ):
        page = dana.get(link("of", public_id))
        shown = set(re.findall(r'<tr id="([\w.]+)">', page.text))
        assert shown == {name for name, key in KEYS.items() if scope in key.scopes}, scope
    assert cast.alice.email not in page.text
    assert cast.alice.display_name not in page.text


def test_a_value_says_where_it_comes_from_with_a_link_to_it(cast: Cast, dana: Client) -> None:
    page = link("of", cast.project.public_id)
    assert "30 days shipped default –" in row_of(dana.get(page), REFUND_DAYS)
    put(REFUND_DAYS, 20)
    assert "20 days set for everyone 2026-03-10" in row_of(dana.get(page), REFUND_DAYS)
    put(REFUND_DAYS, 10, "tenant", cast.acme.pk)
    shown = dana.get(page)
    assert "10 days set for organization Acme 2026-03-10" in row_of(shown, REFUND_DAYS)
    assert f'href="{link("of", cast.acme.public_id)}#{REFUND_DAYS}"' in shown.text
    put(REFUND_DAYS, 1, "project", cast.project.pk)
    line = row_of(dana.get(page), REFUND_DAYS)
    assert "1 day set for this project" in line
    assert line.endswith("1 day Change · Unset · History")


def test_money_is_shown_in_the_currency_of_the_accounts(cast: Cast, dana: Client) -> None:
    key = "billing.low_balance_threshold_minor"
    assert "5.00 USD" in row_of(dana.get(link("of", cast.acme.public_id)), key)
    assert "500 minor units" in row_of(dana.get(link("of")), key)
    open_billing_account(cast.acme, cast.entity, "Yen", currency="JPY", settlement="prepaid", actor=ACTOR, at=NOON)
    assert "500 minor units" in row_of(dana.get(link("of", cast.acme.public_id)), key)
    put(key, {"amount_minor": 700, "currency": "JPY"})
    assert "700 JPY" in row_of(dana.get(link("of")), key)
    account = row_of(dana.get(link("effective", cast.prepaid.public_id)), key)
    assert "5.00 USD shipped default" in account
    assert "everyone: 700 JPY (for JPY alone)" in account


def test_spans_lists_and_switches_are_read_as_people_say_them(cast: Cast, dana: Client) -> None:
    put("billing.auto_release_projection_seconds", 5400)
    put("notification.low_balance_enabled", False)
    page = dana.get(link("of"))
    for key, words in {
        "billing.auto_release_projection_seconds": "1 h 30 min",
        "billing.window_seconds": "1 min",
        "notification.low_balance_enabled": "off",
        "notification.balance_depleted_enabled": "on",
        "quotas.alert_percent": "80, 95 %",
        "dunning.retry_days": "1, 3, 5, 7 days",
        "billing.outage_tail": "waive",
        "quotas.projects_limit": "50 projects",
    }.items():
        assert f" {words} " in row_of(page, key), key
    assert 'title="5400"' in page.text
    assert 'title="false"' in page.text


def test_what_is_in_force_for_anything_and_which_scopes_were_asked(cast: Cast, dana: Client) -> None:
    put(REFUND_DAYS, 20)
    put(REFUND_DAYS, 10, "tenant", cast.acme.pk)
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    for public_id, asked in (
        (cast.acme.public_id, "organization Acme: 10 days in force everyone: 20 days shipped default: 30 days"),
        (cast.prepaid.public_id, "organization Acme: 10 days in force everyone: 20 days shipped default: 30 days"),
        (cast.project.public_id, "project Training: nothing set organization Acme: 10 days in force everyone"),
        (allocation.public_id, "project Training: nothing set organization Acme: 10 days in force everyone"),
        (cast.alice.public_id, f"person {cast.alice.public_id}: nothing set everyone: 20 days in force shipped"),
        ("", "everyone: 20 days in force shipped default: 30 days"),
        ("acme", "organization Acme: 10 days in force everyone"),
    ):
        page = dana.get(link("effective", public_id))
        assert page.status_code == 200, public_id
        assert asked in row_of(page, REFUND_DAYS), public_id
        assert len(re.findall(r"<tr id=", page.text)) == len(KEYS)


def test_a_person_is_asked_first_for_their_personal_organization(cast: Cast, dana: Client) -> None:
    key = "billing.low_balance_threshold_minor"
    personal = open_organization("Bob", "bob", owner=cast.bob, personal=True, at=NOON)
    account = open_billing_account(
        personal, cast.entity, "Bob", currency="USD", settlement="prepaid", actor=ACTOR, at=NOON
    )
    put(key, 900, "user", cast.bob.pk)
    put(key, 800, "tenant", personal.pk)
    for public_id in (account.public_id, personal.public_id, cast.bob.public_id):
        line = row_of(dana.get(link("effective", public_id)), key)
        assert f"person {cast.bob.public_id}: 9.00 USD in force organization Bob: 8.00 USD" in line


@pytest.mark.parametrize("page", ["of", "effective", "changes"])
def test_who_does_not_exist_is_not_found(cast: Cast, dana: Client, page: str) -> None:
    for text in (
        *("org_0000000000zzz", "prj_0000000000zzz", "usr_0000000000zzz", "ba_0000000000zzz", "alc_0000000000zzz"),
        *("plan_0000000000001", "sku_0000000000001", "ORG_0000000000001", "1", "\x00", "org_\x00", "nobody", "×" * 300),
    ):
        response = dana.get(reverse(f"admin:accounts_policyvalue_{page}"), {"subject": text, "key": WINDOW})
        assert response.status_code == 404, text
        assert "(not_found)" in response.text


def test_an_account_is_shown_where_its_values_come_from(cast: Cast, dana: Client) -> None:
    response = dana.get(link("of", cast.prepaid.public_id))
    assert response.url == link("effective", cast.prepaid.public_id)
    form = set_form(WINDOW, "30", cast.prepaid.public_id)
    assert "(policy_invalid)" in errors_of(dana.post(reverse(SET), form), "subject")


def test_an_organization_and_a_project_lead_to_their_policies(cast: Cast, dana: Client) -> None:
    for row, model in ((cast.acme, "organization"), (cast.project, "project")):
        text = dana.get(reverse(f"admin:accounts_{model}_change", args=[row.pk])).text
        assert f'href="{link("of", row.public_id)}"' in text
        assert f'href="{link("effective", row.public_id)}"' in text


def test_the_list_is_filtered_by_key_and_scope(cast: Cast, dana: Client) -> None:
    put(REFUND_DAYS, 20)
    put(REFUND_DAYS, 10, "tenant", cast.acme.pk)
    put(WINDOW, 30, "tenant", cast.strangers.pk)
    put(REFUND_DAYS, 9, "project", cast.project.pk)
    put(REFUND_DAYS, 8, "user", cast.alice.pk)
    page = reverse("admin:accounts_policyvalue_changelist")
    for query, found in (({}, 5), ({"key": WINDOW}, 1), ({"scope": "tenant"}, 2), ({"scope": "user"}, 1)):
        assert len(dana.get(page, query).context["cl"].result_list) == found
    put("billing.minimum_deposit_minor", 2500, "tenant", cast.acme.pk)
    put("billing.minimum_deposit_minor", 2600)
    text = dana.get(page).text
    for words in (
        "25.00 USD",
        "2,600 minor units",
        "organization Acme",
        "Elsewhere",
        "Training",
        cast.alice.public_id,
        "everyone",
        "30 s",
        "10 days",
    ):
        assert words in text, words
    exported = b"".join(dana.get(reverse("admin:accounts_policyvalue_export")).streaming_content).decode()
    assert f"{REFUND_DAYS},tenant,{cast.acme.public_id},Acme,10" in exported


def test_a_form_is_typed_by_its_key(cast: Cast, dana: Client) -> None:
    def field(key: str, **asked: str) -> str:
        return dana.get(reverse(SET), {"key": key, **asked}).text

    assert '<option value="false"' in field("notification.low_balance_enabled")
    assert '<option value="bill"' in field("billing.outage_tail")
    assert "A whole number of seconds from 1 to 86,400. Shipped: 1 min." in field(WINDOW)
    money = field("billing.minimum_deposit_minor")
    assert 'name="currency"' in money
    assert '<option value="JPY"' in money
    assert 'name="currency"' not in field(WINDOW)
    put(REFUND_DAYS, 12, "project", cast.project.pk)
    assert 'value="12"' in field(REFUND_DAYS, subject=cast.project.public_id)
    put("billing.minimum_deposit_minor", {"amount_minor": 77, "currency": "EUR"})
    set_in_euros = field("billing.minimum_deposit_minor")
    assert 'value="77"' in set_in_euros
    assert '<option value="EUR" selected' in set_in_euros


def test_without_a_key_the_page_asks_which(cast: Cast, dana: Client) -> None:
    for page in ("set", "unset", "changes"):
        text = dana.get(reverse(f"admin:accounts_policyvalue_{page}")).text
        assert f'<option value="{WINDOW}"' in text
    refused = dana.get(link("set", "org_0000000000zzz", WINDOW))
    assert refused.status_code == 422
    assert "(not_found)" in errors_of(refused, "subject")
    refused = dana.get(link("set", cast.acme.public_id, CREDIT))
    assert "has no tenant scope (policy_invalid)" in errors_of(refused, "subject")
    assert dana.get(link("set", "", "no.such_key")).status_code == 422


def test_a_value_is_previewed_set_once_and_unset_once(cast: Cast, dana: Client) -> None:
    before = written()
    preview = dana.post(reverse(SET), set_form(WINDOW, "30", cast.acme.public_id))
    assert written() == before
    text = unescape(preview.text)
    for words in (
        f"organization Acme ({cast.acme.public_id})",
        "nothing → 30 s",
        "1 min (shipped default)\n→ 30 s (set for this organization)",
        "<dd>Acme and its 2 billing accounts</dd>",
        "for the test",
    ):
        assert words in text, words
    form = sent(preview)
    done = dana.post(reverse(SET), form)
    assert done.url == link("of", cast.acme.public_id)
    assert f"{WINDOW} is set: in force at once." in dana.get(done.url).text
    assert policy.effective(WINDOW, policy.Scope(tenant_id=cast.acme.pk)) == 30
    after = written()
    again = dana.post(reverse(SET), form)
    assert again.status_code == 409
    assert "This was already done; nothing was done twice" in again.text
    assert written() == after
    unset = {"key": WINDOW, "subject": cast.acme.public_id, "reason": "no longer"}
    back = dana.post(reverse(UNSET), unset)
    assert "30 s (set for this organization)\n→ 1 min (shipped default)" in unescape(back.text)
    assert dana.post(reverse(UNSET), sent(back)).status_code == 302
    assert not PolicyValue.objects.exists()
    refused = dana.post(reverse(UNSET), unset)
    assert refused.status_code == 409
    assert "(not_set)" in refused.text


def test_what_was_changed_meanwhile_is_not_written_over_unseen(cast: Cast, dana: Client) -> None:
    put(WINDOW, 45)
    opened = dana.get(link("set", "", WINDOW))
    seen = re.search(r'name="seen" value="([^"]+)"', opened.text)
    assert seen
    form = set_form(WINDOW, "30", seen=unescape(seen[1]))
    ready = previewed(dana, SET, form)
    put(WINDOW, 50, at=NOON + timedelta(seconds=1))
    before = written()
    for response in (dana.post(reverse(SET), form), dana.post(reverse(SET), ready)):
        assert response.status_code == 409
        assert "(conflict)" in errors_of(response, "value")
    assert written() == before
    assert policy.effective(WINDOW) == 50


def test_a_preview_warns_of_a_value_without_effect(cast: Cast, dana: Client) -> None:
    def warned(key: str, value: str, subject: str = "", **changes: str) -> str:
        return unescape(dana.post(reverse(SET), set_form(key, value, subject, **changes)).text)

    low = "billing.low_balance_threshold_minor"
    assert "organization Acme pays in USD: no effect" in warned(low, "900", cast.acme.public_id, currency="EUR")
    personal = open_organization("Bob", "bob", owner=cast.bob, personal=True, at=NOON)
    put(low, 900, "user", cast.bob.pk)
    assert "A narrower value stays in force" in warned(low, "100", personal.public_id)
    mail = warned("notification.low_balance_enabled", "false", cast.project.public_id)
    assert "decided for its billing account" in mail
    above = warned("billing.minimum_deposit_minor", "100001")
    assert "billing.minimum_deposit_minor would be above billing.maximum_deposit_minor" in above
    assert "would be above" not in warned("billing.minimum_deposit_minor", "100000")


BAD_VALUES = (
    (WINDOW, ("0", "86401", "60.0", "９０", "99999999999999999999", "-1", "+5", "1e3", "sixty")),
    (REFUND_DAYS, ("-1", "3651", "true", "")),
    ("billing.outage_tail", ("maybe", "WAIVE", "waive/bill")),
    ("notification.low_balance_enabled", ("yes", "1", "None")),
    ("quotas.alert_percent", ("80, x", "0", "80, 101", "95, 80", "80, 80", "80,,95", ",")),
    ("dunning.retry_days", ("7, 5", "0, 1", "1.5", "366")),
)


@pytest.mark.parametrize(("key", "values"), BAD_VALUES)
def test_bad_values_are_refused_on_their_field(cast: Cast, dana: Client, key: str, values: tuple[str, ...]) -> None:
    before = written()
    for value in values:
        response = dana.post(reverse(SET), set_form(key, value))
        assert response.status_code == 422, value
        assert "(policy_invalid)" in errors_of(response, "value") or not value, value
    assert written() == before


@pytest.mark.parametrize("key", sorted(name for name, key in KEYS.items() if key.kind == "money"))
def test_what_is_no_amount_is_refused(cast: Cast, dana: Client, key: str) -> None:
    zero = {"0"} if KEYS[key].minimum == 0 else set()
    before = written()
    for amount in (*(set(BAD_AMOUNTS) - zero), "-5", "1 000", "100 USD"):
        for currency in ("", "USD"):
            response = dana.post(reverse(SET), set_form(key, amount, currency=currency))
            assert response.status_code == 422, amount
            assert errors_of(response, "value"), amount
    refused = dana.post(reverse(SET), set_form(key, "100", currency="XXX"))
    assert errors_of(refused, "currency")
    assert written() == before


def test_bad_subjects_and_keys_are_refused_on_their_field(cast: Cast, dana: Client) -> None:
    before = written()
    for change, field in (
        ({"subject": "org_0000000000zzz"}, "subject"),
        ({"subject": "acme-two"}, "subject"),
        ({"subject": "org_\x00"}, "subject"),
        ({"subject": "9" * 300}, "subject"),
        ({"subject": cast.project.public_id}, "subject"),  # the key has no project scope
        ({"subject": "plan_0000000000001"}, "subject"),
        ({"key": "no.such_key"}, "key"),
        ({"key": "\x00"}, "key"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
    ):
        response = dana.post(reverse(SET), set_form(WINDOW, "30") | change)
        assert response.status_code == 422, change
        assert errors_of(response, field), change
    ready = previewed(dana, SET, set_form(WINDOW, "30", reason="ab"))
    assert "(reason_required)" in errors_of(dana.post(reverse(SET), ready), "reason")
    assert written() == before


def test_readers_see_no_buttons_and_may_not_act(cast: Cast) -> None:
    put(WINDOW, 30)
    erin = signed_in(cast.erin)
    text = erin.get(link("of")).text
    assert link("changes", "", WINDOW) in text.replace("&amp;", "&")
    for page in ("set", "unset"):
        assert f"/policyvalue/{page}/" not in text
        assert erin.get(link(page, "", WINDOW)).status_code == 403
        assert erin.post(link(page, "", WINDOW), set_form(WINDOW, "5")).status_code == 403


def test_a_key_that_guards_money_waits_to_be_set_and_to_be_unset(cast: Cast, dana: Client) -> None:
    erin = signed_in(cast.erin)
    response = dana.post(reverse(SET), set_form(CREDIT, "2000000", currency="USD"))
    assert "wait for a second person" in response.text
    asked = _ask(dana, SET, response)
    assert policy.effective(CREDIT) == 10_000
    assert "Set approvals.credit_minor to 20,000.00 USD for everyone" in asked.summary
    shown = unescape(erin.get(reverse("admin:accounts_approvalrequest_change", args=[asked.pk])).text)
    assert "10,000 minor units (shipped default)\n→ 20,000.00 USD (set for everyone)" in shown
    approvals.decide(asked.pk, checker=cast.erin, approve=True, note="", at=now())
    assert policy.effective(CREDIT) == {"amount_minor": 2_000_000, "currency": "USD"}
    unset = dana.post(reverse(UNSET), {"key": CREDIT, "subject": "", "reason": "too much"})
    assert "wait for a second person" in unset.text
    back = _ask(dana, UNSET, unset)
    assert PolicyValue.objects.filter(key=CREDIT).exists()
    assert "20,000.00 USD (set for everyone)" in unescape(
        erin.get(reverse("admin:accounts_approvalrequest_change", args=[back.pk])).text
    )
    approvals.decide(back.pk, checker=cast.erin, approve=True, note="", at=now())
    assert policy.effective(CREDIT) == 10_000
    history = dana.get(link("changes", "", CREDIT)).text
    for words in ("for the test", "too much", asked.public_id, back.public_id, "Dana", "unset"):
        assert words in history


def test_the_history_says_who_when_why_and_from_what_to_what(cast: Cast, dana: Client) -> None:
    from_dana = {"key": WINDOW, "subject": cast.acme.public_id, "reason": "no longer needed"}
    dana.post(reverse(SET), previewed(dana, SET, set_form(WINDOW, "30", cast.acme.public_id, reason="a rush")))
    put(WINDOW, 90, "tenant", cast.acme.pk, reason="calmer; " * 30)
    dana.post(reverse(UNSET), previewed(dana, UNSET, from_dana))
    put(WINDOW, 45, "tenant", cast.strangers.pk, reason="another organization")
    page = dana.get(link("changes", cast.acme.public_id, WINDOW))
    rows = [
        " ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split())
        for row in re.findall(r'<tr>\s*<td data-name="When">(.*?)</tr>', page.text, re.DOTALL)
    ]
    assert len(rows) == 3
    assert "Dana 1 min 30 s unset no longer needed" in rows[0]
    assert f"the system 30 s 1 min 30 s {('calmer; ' * 30).strip()}" in rows[1]
    assert "Dana nothing set 30 s a rush" in rows[2]
    assert "another organization" not in page.text


def test_what_was_never_set_has_an_empty_history(cast: Cast, dana: Client) -> None:
    for subject in ("", cast.acme.public_id):
        page = dana.get(link("changes", subject, WINDOW))
        assert page.status_code == 200
        assert "Nothing was ever set here" in page.text


def test_a_long_history_is_paged(cast: Cast, dana: Client) -> None:
    for seconds in range(1, 56):
        put(WINDOW, seconds)
    first = dana.get(link("changes", "", WINDOW))
    assert len(first.context["changes"]) == 50
    older = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert older
    rest = dana.get(unescape(older[1]))
    assert [change.new.raw for change in rest.context["changes"]] == ["5", "4", "3", "2", "1"]
    assert rest.context["changes"][0].old.raw == "4"
    assert rest.context["changes"][-1].old is None
    for mark in ("x", "-1", "٣", "9" * 40, "\x00"):
        assert dana.get(link("changes", "", WINDOW), {"before": mark, "key": WINDOW}).status_code == 200


def _ask(client: Client, page: str, preview: Any) -> ApprovalRequest:
    filed = client.post(reverse(page), sent(preview))
    asked = ApprovalRequest.objects.order_by("-pk")[0]
    assert filed.url == reverse("admin:accounts_approvalrequest_change", args=[asked.pk])
    return asked
