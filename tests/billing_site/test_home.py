"""The home page: what is out of the ordinary, each figure a link to its rows; revenue; and where one is."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts import policy
from accounts.clock import now
from accounts.models import BillingAccount, LegalEntity, OutboxDelivery
from billing_site.back_office.home import cards, revenue, span
from billing_site.back_office.plots import scale_over, short
from billing_site.back_office.spans import hourly
from billing_site.unconfirmed_releases import debts, unconfirmed_releases
from ledger import accrual, daily_totals, parking
from ledger.models import AccrualSchedule, ForceRelease
from quotas.allocations import complete_release, start
from tests.billing_site.back_office_scene import set_scene
from tests.cast import ACTOR, NOON, Cast
from tests.funding import fund

EMPTY = NOON + timedelta(hours=4)
HOUR = timedelta(hours=1)


@pytest.fixture
def dana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.dana)
    return client


@pytest.fixture
def machine(cast: Cast) -> int:
    """Ten dollars and one GPU at 2.50 an hour from noon: used up at EMPTY; its key."""
    fund(cast.prepaid, 1000)
    return start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON).pk


def shown_cards() -> dict[str, tuple[str, str]]:
    return {card.title: (card.figure, card.tone) for card in cards(now())}


def at(moment) -> dict[str, tuple[str, str, str]]:  # type: ignore[no-untyped-def]
    return {card.title: (card.figure, card.tone, card.hint) for card in cards(moment)}


def test_an_empty_home_is_calm_and_says_what_to_do(cast: Cast, dana: Client) -> None:
    accrual.drain(now())  # the cast was bound long ago, and nothing is due
    assert shown_cards() == {
        "Low balance": ("0", "calm"),
        "Depleted": ("0", "calm"),
        "Unconfirmed releases": ("0", "calm"),
        "Approvals waiting": ("0", "calm"),
        "Parked accounts": ("0", "calm"),
        "Accrual lag": ("0 s", "calm"),
        "Dead letters": ("0", "calm"),
        "Last verification": ("never", "wait"),
    }
    text = dana.get(reverse("admin:index")).text
    assert "Run verify_books to prove the book." in text
    assert "Nothing was billed in the last 30 days." in text


@pytest.mark.usefixtures("back_office_scene")
def test_a_card_leads_to_the_rows_it_counts(cast: Cast, dana: Client) -> None:
    AccrualSchedule.objects.get_or_create(billing_account=cast.foreign)
    parking.park(cast.foreign.pk, ValueError("no rate"), at=now())
    dead = OutboxDelivery.objects.order_by("pk").first()
    assert dead is not None
    OutboxDelivery.objects.filter(pk=dead.pk).update(state="dead", finished_at=now())
    accrual.drain(NOON + timedelta(hours=17), only=[cast.prepaid.pk])  # 47.50 at 2.50 an hour: low
    figures = shown_cards()
    assert figures["Low balance"] == ("1", "wait")
    assert figures["Parked accounts"] == ("1", "alarm")
    assert figures["Approvals waiting"] == ("1", "wait")
    assert figures["Dead letters"] == ("1", "alarm")
    assert figures["Accrual lag"][1] == "alarm"  # the scene's usage is of March
    home = dana.get(reverse("admin:index")).text.replace("&amp;", "&")
    for card in cards(now()):
        assert f'href="{card.url}"' in home
        if card.figure == "1":
            assert len(dana.get(card.url).context["cl"].result_list) == 1, card.title


def test_accounts_are_counted_by_how_their_balance_stands(cast: Cast, machine: int) -> None:
    accrual.drain(NOON + HOUR)
    assert at(NOON + HOUR)["Low balance"][:2] == ("0", "calm")
    accrual.drain(NOON + 2.1 * HOUR)
    assert at(NOON + 2.1 * HOUR)["Low balance"][:2] == ("1", "wait")
    accrual.drain(NOON + 3.5 * HOUR)
    figure, _, hint = at(NOON + 3.5 * HOUR)["Low balance"]
    assert figure == "1"
    assert hint.startswith("1 of them")
    accrual.drain(EMPTY)
    assert at(EMPTY)["Low balance"][:2] == ("0", "calm")
    assert at(EMPTY)["Depleted"][:2] == ("1", "alarm")


def test_accounts_are_listed_by_how_their_balance_stands(cast: Cast, dana: Client, machine: int) -> None:
    address = reverse("admin:accounts_billingaccount_changelist")

    def listed(state: str) -> list[int]:
        return [row.pk for row in dana.get(f"{address}?state={state}").context["cl"].result_list]

    accrual.drain(NOON + 2.1 * HOUR)
    assert listed("low") == listed("low_balance") == [cast.prepaid.pk]
    accrual.drain(NOON + 3.5 * HOUR)
    assert listed("low") == listed("auto_release_pending") == [cast.prepaid.pk]
    text = dana.get(f"{address}?state=low&phase=Ready&settlement=prepaid").text
    for words in ("About to be used up", "1.25 USD", "2.50 USD"):
        assert words in text, words
    accrual.drain(EMPTY)
    assert listed("low") == []
    assert listed("depleted") == [cast.prepaid.pk]
    assert listed("healthy") == [cast.foreign.pk]
    assert dana.get(f"{address}?state=rich").status_code == 302


def test_a_release_nobody_confirms_is_shown_with_the_debt_it_grows(cast: Cast, dana: Client, machine: int) -> None:
    accrual.drain(EMPTY)
    grace = timedelta(seconds=300)
    assert unconfirmed_releases(EMPTY + grace) == []
    accrual.drain(EMPTY + HOUR)
    (found,) = unconfirmed_releases(EMPTY + HOUR)
    assert (found.allocation_id, found.account_id, found.asked_at) == (machine, cast.prepaid.pk, EMPTY)
    assert (found.waited, found.debt_minor, found.cost_minor_per_hour) == (HOUR, 250, Decimal(250))
    accrual.drain(EMPTY + 2 * HOUR)
    found_later = unconfirmed_releases(EMPTY + 2 * HOUR)
    assert debts(found_later) == {"USD": 500}
    assert at(EMPTY + 2 * HOUR)["Unconfirmed releases"] == (
        "1",
        "alarm",
        "Still running after the money: 5.00 USD so far. Ask the platform.",
    )
    text = dana.get(reverse("admin:unconfirmed_releases")).text
    for words in (found.allocation, "Acme prepaid", "5.00 USD", "2.50 USD", "2026-03-10 16:00:00"):
        assert words in text, words
    complete_release(machine, completed_at=EMPTY + 2 * HOUR, actor=ACTOR, at=EMPTY + 2 * HOUR)
    assert unconfirmed_releases(EMPTY + 3 * HOUR) == []
    assert ForceRelease.objects.count() == 1
    assert "Every release that was asked for is confirmed" in dana.get(reverse("admin:unconfirmed_releases")).text


def test_the_grace_of_a_release_is_its_accounts_own(cast: Cast, machine: int) -> None:
    accrual.drain(EMPTY)
    policy.set_value(
        "billing.release_grace_seconds",
        7200,
        scope="tenant",
        scope_id=cast.acme.pk,
        actor=ACTOR,
        reason="a slow platform",
        at=EMPTY,
    )
    assert unconfirmed_releases(EMPTY + 2 * HOUR) == []
    assert len(unconfirmed_releases(EMPTY + 2.1 * HOUR)) == 1


def test_a_release_asked_twice_counts_from_the_first_time(cast: Cast, machine: int) -> None:
    accrual.drain(EMPTY)
    fund(cast.prepaid, 500, at=EMPTY)
    accrual.drain(EMPTY + 2 * HOUR)  # used up again
    assert ForceRelease.objects.count() == 2
    (found,) = unconfirmed_releases(EMPTY + 3 * HOUR)
    assert found.asked_at == EMPTY
    assert found.debt_minor == 500


@pytest.mark.usefixtures("back_office_scene")
def test_revenue_is_shown_by_currency(cast: Cast) -> None:
    (shown,) = revenue(NOON.date())
    assert (shown.currency, shown.today_minor, shown.month_minor, shown.total_minor) == ("USD", 42, 42, 42)
    (later,) = revenue(NOON.date() + timedelta(days=1))
    assert (later.today_minor, later.month_minor) == (0, 42)
    (april,) = revenue(NOON.date().replace(month=4, day=2))
    assert (april.month_minor, april.total_minor) == (0, 42)
    assert revenue(NOON.date().replace(month=5)) == []


@pytest.mark.parametrize(("zone", "late"), [("America/New_York", True), ("UTC", False), ("Pacific/Auckland", False)])
def test_today_is_the_day_of_whoever_sells(cast: Cast, zone: str, late: bool) -> None:
    """Early on the next day of UTC it is still the same evening in New York."""
    early = datetime(2026, 3, 11, 2, tzinfo=UTC)
    assert daily_totals.newest_day(early) == early.date()
    LegalEntity.objects.filter(pk=cast.prepaid.legal_entity_id).update(time_zone=zone)
    LegalEntity.objects.create(
        name="Idle", country="NZ", base_currency="NZD", time_zone="Pacific/Auckland", created_at=NOON
    )
    set_scene(cast)
    assert daily_totals.newest_day(early) == early.date() - timedelta(days=late)
    daily_totals.fold()
    assert daily_totals.newest_day(early) == early.date() - timedelta(days=late)


@pytest.mark.usefixtures("back_office_scene")
def test_each_of_thirty_days_has_its_bar(cast: Cast, dana: Client) -> None:
    (shown,) = revenue(NOON.date() + timedelta(days=3))
    assert len(shown.bars) == 30
    assert shown.last == NOON.date() + timedelta(days=3)
    assert [bar.amount_minor for bar in shown.bars if bar.amount_minor] == [42]
    (bar,) = [bar for bar in shown.bars if bar.amount_minor]
    assert bar.words == "Tue 2026-03-10: 0.42 USD"
    assert Decimal(bar.top) + Decimal(bar.height) == Decimal(shown.zero) == 100


@pytest.mark.parametrize(
    ("amounts", "low", "high", "step"),
    [
        ([], 0, 1, 1),
        ([42], 0, 60, 20),
        ([1000], 0, 1000, 500),
        ([-250, 1000], -500, 1000, 500),
        ([-7], -8, 0, 2),
        ([10**15], 0, 10**15, 5 * 10**14),
    ],
)
def test_a_scale_holds_all_amounts_in_round_steps(amounts: list[int], low: int, high: int, step: int) -> None:
    scale = scale_over(amounts, "USD")
    assert (scale.low, scale.high, scale.step) == (low, high, step)
    assert [scale.top(scale.high), scale.top(scale.low)] == ["0.000", "100.000"]


def test_figures_on_an_axis_are_short() -> None:
    assert [short(amount, "USD") for amount in (0, 50, 100_000, -250)] == ["0", "0.50", "1,000", "−2.50"]
    assert [short(1500, currency) for currency in ("JPY", "KWD", "XXX")] == ["1,500", "1.500", "1,500"]


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        ("1230", "USD", "12.30 USD"),
        ("59.34", "USD", "0.5934 USD"),
        ("0.0004", "USD", "under 0.0001 USD"),
        ("0", "USD", "0.00 USD"),
        ("380", "JPY", "380 JPY"),
        ("7.655", "JPY", "7.66 JPY"),
        ("765.5", "KWD", "0.7655 KWD"),
        ("123456789", "USD", "1,234,567.89 USD"),
    ],
)
def test_costs_an_hour_are_as_fine_as_they_need_be(minor: str, currency: str, words: str) -> None:
    assert hourly(Decimal(minor), currency) == words


def test_spans_are_read_in_two_units() -> None:
    assert [span(seconds) for seconds in (0, 59.9, 61, 3600, 90_061)] == ["0 s", "59 s", "1 min 1 s", "1 h", "1 d 1 h"]


def test_every_page_says_where_one_is(cast: Cast, dana: Client) -> None:
    pages = (reverse("admin:index"), reverse("admin:ledger_ledgerentry_changelist"))
    for page in pages:
        text = dana.get(page).text
        assert "Embedded" in text
        assert "clock advanced" not in text
    BillingAccount.objects.filter(pk=cast.prepaid.pk).update(test_now=NOON)
    for page in pages:
        assert re.search(r"Embedded · clock advanced", dana.get(page).text), page


@pytest.mark.parametrize(("environment", "word"), [("sandbox", "Sandbox"), ("live", "Live")])
def test_the_badge_names_the_environment(dana: Client, settings, environment: str, word: str) -> None:  # type: ignore[no-untyped-def]
    settings.ENVIRONMENT = environment
    assert word in dana.get(reverse("admin:index")).text


@pytest.mark.usefixtures("back_office_scene")
def test_home_asks_a_dozen_times_at_most(cast: Cast, dana: Client, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    accrual.drain(NOON + timedelta(hours=30))  # used up, and not released
    for page in ("index", "unconfirmed_releases"):
        with django_assert_max_num_queries(12):
            assert dana.get(reverse(f"admin:{page}")).status_code == 200
    assert shown_cards()["Unconfirmed releases"][0] == "1"
