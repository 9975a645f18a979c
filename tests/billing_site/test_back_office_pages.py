"""The home page, the page of an account, policies, people, and the way in."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.audit import person
from accounts.clock import now
from accounts.enforcement import open_reason
from accounts.locking import lock_account
from accounts.models import Level, OutboxDelivery, User
from billing_site.back_office.home import cards, revenue, span
from billing_site.back_office.timeline import timeline
from ledger import accrual, adjustments, parking
from ledger.models import AccrualSchedule, LedgerEntry
from payments import bank_transfers
from tests.billing_site.back_office_scene import Scene, set_scene
from tests.billing_site.test_back_office_acts import previewed
from tests.cast import NOON, Cast


@pytest.fixture
def dana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.dana)
    return client


@pytest.fixture
def patricia(cast: Cast) -> User:
    user = User.objects.create_user("patricia@countinghouse.example", "correct horse battery", is_staff=True)
    user.groups.set(Group.objects.filter(name="platform-admin"))
    return user


def shown_cards() -> dict[str, tuple[str, str]]:
    return {card.title: (card.figure, card.tone) for card in cards(now())}


def test_an_empty_home_is_calm_and_says_what_to_do(dana: Client) -> None:
    accrual.drain(now())  # the cast was bound long ago, and nothing is due
    assert shown_cards() == {
        "Parked accounts": ("0", "calm"),
        "Approvals waiting": ("0", "calm"),
        "Dead letters": ("0", "calm"),
        "Accrual lag": ("0 s", "calm"),
        "Last verification": ("never", "wait"),
    }
    text = dana.get(reverse("admin:index")).text
    assert "Run verify_books to prove the book." in text
    assert "Nothing was billed this month." in text


def test_a_card_leads_to_the_rows_it_counts(cast: Cast, dana: Client) -> None:
    set_scene(cast)
    AccrualSchedule.objects.get_or_create(billing_account=cast.foreign)
    parking.park(cast.foreign.pk, ValueError("no rate"), at=now())
    dead = OutboxDelivery.objects.order_by("pk").first()
    assert dead is not None
    OutboxDelivery.objects.filter(pk=dead.pk).update(state="dead", finished_at=now())
    figures = shown_cards()
    assert figures["Parked accounts"] == ("1", "alarm")
    assert figures["Approvals waiting"] == ("1", "wait")
    assert figures["Dead letters"] == ("1", "alarm")
    assert figures["Accrual lag"][1] == "alarm"  # the scene's usage is of March
    for card in cards(now()):
        if card.figure == "1":
            assert len(dana.get(card.url).context["cl"].result_list) == 1, card.title
        assert f'href="{card.url}"' in dana.get(reverse("admin:index")).text.replace("&amp;", "&")


def test_revenue_is_shown_by_currency(cast: Cast) -> None:
    set_scene(cast)
    (shown,) = revenue(NOON.date())
    assert (shown.currency, shown.today_minor, shown.month_minor) == ("USD", 42, 42)
    (later,) = revenue(NOON.date() + timedelta(days=1))
    assert (later.today_minor, later.month_minor) == (0, 42)
    assert revenue(NOON.date().replace(month=4)) == []


def test_spans_are_read_in_two_units() -> None:
    assert [span(seconds) for seconds in (0, 59.9, 61, 3600, 90_061)] == ["0 s", "59 s", "1 min 1 s", "1 h", "1 d 1 h"]


def test_the_page_of_an_account_says_what_is_known_about_it(cast: Cast, dana: Client) -> None:
    set_scene(cast)
    open_reason(lock_account(cast.prepaid.pk), "dunning", Level.WARN, why="an open invoice", at=NOON)
    page = dana.get(reverse("admin:accounts_billingaccount_change", args=[cast.prepaid.pk]))
    for words in (
        *("47.08 USD", "The customer has this much with us.", "Acme", "Ready", "warn", "an open invoice", "Training"),
        *("1.00 GPU", "transfer:STMT-1", "STMT-1", cast.prepaid.public_id, "−2.50 USD"),
    ):
        assert words in page.text, words
    for customer in (cast.alice, cast.bob):
        assert customer.email not in page.text
        assert customer.display_name not in page.text
    record = reverse("admin:payments_banktransfer_record")
    assert f"{record}?billing_account={cast.prepaid.public_id}" in page.text


def test_acts_are_offered_to_those_who_may_do_them(cast: Cast, client: Client) -> None:
    set_scene(cast)
    client.force_login(cast.erin)
    for page in (
        reverse("admin:accounts_billingaccount_change", args=[cast.prepaid.pk]),
        reverse("admin:payments_banktransfer_changelist"),
        reverse("admin:accounts_policyvalue_changelist"),
    ):
        text = client.get(page).text
        for act in ("record", "adjust", "correct", "set"):
            assert f"/{act}/" not in text, (page, act)


def test_the_timeline_is_newest_first_and_whole(cast: Cast) -> None:
    set_scene(cast)
    accrual.drain(NOON + timedelta(hours=1))
    seen, mark = [], ""
    while True:
        page = timeline(cast.prepaid, mark, page=7)
        seen += page.entries
        mark = page.next_page
        if not mark:
            break
    own = LedgerEntry.objects.filter(ledger_account__billing_account=cast.prepaid).order_by("-pk")
    assert [entry.pk for entry in seen] == [entry.pk for entry in own]
    assert len(seen) > 60


def test_the_timeline_merges_the_accounts_of_a_customer(cast: Cast) -> None:
    """A postpaid customer has entries in several ledger accounts; the pages neither lose nor repeat one."""
    scene_of_two_kinds(cast)
    seen, mark = [], ""
    while True:
        page = timeline(cast.postpaid, mark, page=3)
        seen += page.entries
        mark = page.next_page
        if not mark:
            break
    own = LedgerEntry.objects.filter(ledger_account__billing_account=cast.postpaid).order_by("-pk")
    assert {entry.ledger_account.kind for entry in seen} == {"wallet", "unbilled"}
    assert [entry.pk for entry in seen] == [entry.pk for entry in own]


def scene_of_two_kinds(cast: Cast) -> None:
    for number in range(4):
        adjustments.adjust(
            adjustments.payload(cast.postpaid, -10, "USD"), actor=person(cast.dana), reason="test", at=NOON
        )
        transfer = bank_transfers.payload(
            cast.postpaid, amount_minor=7, currency="USD", value_date=NOON.date(), reference=f"R-{number}"
        )
        bank_transfers.record_transfer(transfer, actor=person(cast.dana), reason="test", at=NOON)


@pytest.mark.parametrize("mark", ["x", "1.x", "1", "٣.٣", "-", "9999999999999999999999.1", "1.1-" * 100, "\x00"])
def test_a_mark_that_is_none_shows_the_newest(cast: Cast, mark: str) -> None:
    set_scene(cast)
    assert timeline(cast.foreign, mark).entries == []
    assert timeline(cast.prepaid, mark).entries is not None


def test_access_is_set_through_its_page(cast: Cast, patricia: User, client: Client) -> None:
    client.force_login(patricia)
    page = "admin:accounts_user_access"
    form = {"staff": "on", "active": "on", "groups": ["finance-viewer", "finance-operator"], "reason": "joins"}
    response = client.post(reverse(page, args=[cast.bob.pk]), form)
    assert "none → finance-viewer, finance-operator" in response.text
    token = re.search(r'name="token" value="([^"]+)"', response.text)
    assert token
    done = client.post(reverse(page, args=[cast.bob.pk]), {**form, "token": unescape(token[1])})
    assert done.status_code == 302
    assert sorted(group.name for group in cast.bob.groups.all()) == ["finance-operator", "finance-viewer"]
    forged = {**form, "is_superuser": "on", "groups": ["finance-viewer"]}
    own = previewed(client, page, {"staff": "on", "active": "on", "reason": "myself"}, patricia.pk)
    refused = client.post(reverse(page, args=[patricia.pk]), own)
    assert "Nobody changes their own access" in refused.text
    client.post(reverse(page, args=[cast.bob.pk]), forged)
    cast.bob.refresh_from_db()
    assert not cast.bob.is_superuser
    assert client.get(reverse(page, args=[10**12])).status_code == 404


def test_one_signs_in_by_e_mail_and_out_again(cast: Cast, client: Client) -> None:
    login = reverse("admin:login")
    assert client.get(reverse("admin:index")).status_code == 302
    wrong = client.post(login, {"username": "dana@countinghouse.example", "password": "wrong"})
    assert wrong.status_code == 200
    stranger = client.post(login, {"username": "alice@acme.example", "password": "correct horse battery"})
    assert "staff account" in stranger.text
    entered = client.post(login, {"username": "DANA@countinghouse.example", "password": "correct horse battery"})
    assert entered.url == reverse("admin:index")
    assert "Countinghouse" in client.get(reverse("admin:index")).text
    password = reverse("admin:password_change")
    assert client.get(password).status_code == 200
    client.post(reverse("admin:logout"))
    assert client.get(reverse("admin:index")).status_code == 302


def test_every_page_says_where_one_is(dana: Client) -> None:
    assert "Embedded" in dana.get(reverse("admin:index")).text


def test_the_scene_is_whole(cast: Cast) -> None:
    assert isinstance(set_scene(cast), Scene)
