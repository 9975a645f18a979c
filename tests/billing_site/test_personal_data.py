"""Who a customer's people are is hidden until staff ask; the asking is kept, and shows one person on one page, once."""

import re
from base64 import urlsafe_b64decode as b64decode
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts import personal_data
from accounts.billing_detail_changes import set_address, set_contact, set_invoice_emails, set_tax_ids
from accounts.billing_details import Address, Contact
from accounts.errors import Forbidden, NotFound
from accounts.models import AuditLog, BillingAccount, Membership, User
from tests.billing_site.back_office_scene import Scene
from tests.billing_site.test_back_office_access import MODELS, WITH_HISTORY
from tests.cast import ACTOR, NOON, Cast

DETAILS: dict[Callable[..., BillingAccount], Any] = {
    set_contact: Contact("ledger@acme.example", "Lena Ledger", "Ledgerdemain Ltd"),
    set_invoice_emails: ["inbox@acme.example"],
    set_address: Address("GB", "1 High Street", city="Leeds", postal_code="LS1 4AP"),
    set_tax_ids: [("gb_vat", "GB123456789")],
}
HIDDEN_DETAILS = (
    *("ledger@acme.example", "Lena", "Ledgerdemain", "inbox@acme.example", "High Street", "Leeds", "LS1 4AP"),
    "GB123456789",
)
HIDDEN = (*HIDDEN_DETAILS, "alice@acme.example", "bob@acme.example", "charlie@else.example", "Alice", "Bob", "Charlie")


@pytest.fixture
def scene(cast: Cast, back_office_scene: Scene) -> Scene:
    for act, value in DETAILS.items():
        act(cast.prepaid.pk, value, actor=ACTOR, at=NOON)
    return back_office_scene


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def member_of_staff(name: str, group: str) -> User:
    user = User.objects.create_user(f"{name}@countinghouse.example", is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    return user


def tickets(text: str) -> list[str]:
    """The buttons of a page, as they would be sent."""
    return [unescape(found) for found in re.findall(r'name="show_person" value="([^"]+)"', text)]


def shown_rows() -> list[AuditLog]:
    return list(AuditLog.objects.filter(action="personal_data.show").order_by("pk"))


def organization_page(cast: Cast) -> str:
    return reverse("admin:accounts_organization_change", args=[cast.acme.pk])


@pytest.mark.long
def test_no_page_shows_a_customer_unasked(cast: Cast, scene: Scene) -> None:
    """Every list, page and history, read by the one who may see most."""
    client = client_of(User.objects.create_superuser("root@countinghouse.example"))
    for model in MODELS:
        pages = ["changelist", "change", *(["history", "simple_history"] if model in WITH_HISTORY else [])]
        for page in pages:
            text = client.get(scene.address(f"{model}_{page}")).text
            assert [word for word in HIDDEN if re.search(rf"\b{re.escape(word)}\b", text)] == [], (model, page)
    for person in (cast.alice, cast.bob):
        text = client.get(reverse("admin:accounts_user_change", args=[person.pk])).text
        assert person.email not in text
        assert person.display_name not in text


def test_billing_details_are_shown_on_request_once_and_audited(cast: Cast, scene: Scene) -> None:
    client, page = client_of(cast.dana), reverse("admin:accounts_billingaccount_change", args=[cast.prepaid.pk])
    hidden = client.get(page).text
    for said in ("l***@acme.example", "L. L.", "i***@acme.example", "GB", "gb_vat •••89"):
        assert said in hidden
    (ticket,) = (
        found for found in tickets(hidden) if "billing_account" in b64decode(f"{found.split(':')[0]}==").decode()
    )
    shown = client.post(page, {"show_person": ticket}).text
    assert [word for word in HIDDEN_DETAILS if word not in shown] == []
    assert "alice@acme.example" not in shown
    assert not any(word in client.get(page).text for word in HIDDEN_DETAILS)
    row = AuditLog.objects.get(action="personal_data.show_details")
    assert (row.actor, row.billing_account, row.after) == (cast.dana, cast.prepaid, {"page": page})
    viewer = member_of_staff("viewer", "finance-viewer")
    assert tickets(client_of(viewer).get(page).text) == []
    with pytest.raises(Forbidden):
        personal_data.show_details(cast.prepaid.pk, by=viewer, page=page, at=NOON)
    with pytest.raises(NotFound):
        personal_data.show_details(10**12, by=cast.dana, page=page, at=NOON)


@pytest.mark.parametrize("form", ["contact", "emails", "address", "taxids"])
def test_a_form_of_details_begins_empty_and_is_filled_on_request(cast: Cast, scene: Scene, form: str) -> None:
    client, page = client_of(cast.dana), reverse(f"admin:accounts_billingaccount_{form}", args=[cast.prepaid.pk])
    assert not any(word in client.get(page).text for word in HIDDEN_DETAILS)
    assert AuditLog.objects.filter(action="personal_data.show_details").count() == 0
    filled = client.post(page, {"fill": "1"}).text
    assert any(word in filled for word in HIDDEN_DETAILS)
    assert AuditLog.objects.get(action="personal_data.show_details").after == {"page": page}


def test_people_are_recognised_by_what_is_left(cast: Cast) -> None:
    cast.alice.display_name = "  alice  Marchetti-Bruni "
    assert personal_data.masked_name(cast.alice) == "A. M."
    assert personal_data.masked_email(cast.alice) == "a***@acme.example"
    assert personal_data.masked_name(User(display_name="")) == ""
    assert personal_data.masked_email(cast.dana) == cast.dana.email
    assert personal_data.masked_name(cast.dana) == "Dana"
    assert personal_data.masked_term("alice@acme.example") == "a***@acme.example"
    assert personal_data.masked_term("STMT-1") == "STMT-1"
    assert str(cast.alice) == cast.alice.public_id
    assert str(cast.dana) == "Dana"


@pytest.mark.parametrize("group", ["finance-operator", "finance-approver", "platform-admin"])
def test_asking_shows_one_person_on_that_page_once(cast: Cast, scene: Scene, group: str) -> None:
    reader = member_of_staff("reader", group)
    client, page = client_of(reader), organization_page(cast)
    before = client.get(page)
    assert "a***@acme.example" in before.text
    assert "b***@acme.example" in before.text
    of_alice, _ = tickets(before.text)
    answer = client.post(page, {"show_person": of_alice})
    assert answer.status_code == 200
    assert "alice@acme.example" in answer.text
    assert "Alice" in answer.text
    assert "bob@acme.example" not in answer.text
    assert len(tickets(answer.text)) == 1
    (row,) = shown_rows()
    assert (row.actor, row.subject_type, row.subject_id) == (reader, "user", cast.alice.pk)
    assert row.after == {"page": page}
    assert "alice" not in str(row.__dict__).casefold()
    assert "alice@acme.example" not in client.get(page).text


def test_every_page_with_a_person_answers(cast: Cast, scene: Scene) -> None:
    client = client_of(member_of_staff("patricia", "platform-admin"))
    membership = Membership.objects.get(user=cast.bob)
    for page in (
        reverse("admin:accounts_user_change", args=[cast.bob.pk]),
        reverse("admin:accounts_membership_change", args=[membership.pk]),
    ):
        (ticket,) = tickets(client.get(page).text)
        assert "bob@acme.example" in client.post(page, {"show_person": ticket}).text
    assert len(shown_rows()) == 2


def test_viewers_see_no_button_and_are_refused(cast: Cast, scene: Scene) -> None:
    page = organization_page(cast)
    viewer = member_of_staff("vera", "finance-viewer")
    client = client_of(viewer)
    text = client.get(page).text
    assert "a***@acme.example" in text
    assert tickets(text) == []
    own = signing.dumps(["user", cast.alice.pk, page, viewer.pk], salt="show-person")
    answer = client.post(page, {"show_person": own}, follow=True)
    assert "(forbidden)" in answer.text
    assert "alice@acme.example" not in answer.text
    assert shown_rows() == []
    with pytest.raises(Forbidden):
        personal_data.show(cast.alice.pk, by=viewer, page=page, at=NOON)


def test_a_button_is_of_its_page_its_reader_and_its_person(cast: Cast, scene: Scene) -> None:
    client, page = client_of(cast.dana), organization_page(cast)
    of_alice, _ = tickets(client.get(page).text)
    elsewhere = reverse("admin:accounts_organization_change", args=[cast.strangers.pk])
    refused = [(page, "x"), (page, ""), (page, "\x00"), (page, of_alice[:-1]), (elsewhere, of_alice)]
    for address, ticket in refused:
        answer = client.post(address, {"show_person": ticket})
        assert answer.status_code == 302
        assert "(form_token_used)" in client.get(address).text, ticket
    assert client_of(cast.erin).post(page, {"show_person": of_alice}).status_code == 302
    assert client.post(page, {"name": "x"}).status_code in (403, 405)
    assert shown_rows() == []


def test_it_takes_the_token_of_the_session(cast: Cast, scene: Scene) -> None:
    page = organization_page(cast)
    (ticket, _) = tickets(client_of(cast.dana).get(page).text)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.dana)
    assert strict.post(page, {"show_person": ticket}).status_code == 403
    assert shown_rows() == []


def test_nobody_is_shown_who_does_not_exist(cast: Cast) -> None:
    with pytest.raises(NotFound):
        personal_data.show(10**12, by=cast.dana, page="/", at=NOON)


def test_an_organization_of_many_shows_some_and_leads_to_the_rest(
    cast: Cast, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.admin.organizations.SHOWN", 1)
    text = client_of(cast.dana).get(organization_page(cast)).text
    assert text.count("The first 1 are shown") == 2
    members = reverse("admin:accounts_membership_changelist")
    found = client_of(cast.dana).get(members, {"q": "acme"}).context["cl"].result_list
    assert {row.user for row in found} == {cast.alice, cast.bob}
