"""The page of a billing account: what is known about it, in few queries, whatever stands on it."""

from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from accounts import policy
from accounts.audit import person
from accounts.bindings import bind
from accounts.enforcement import close_reason, open_reason
from accounts.lifecycle import open_billing_account, open_organization, open_project
from accounts.locking import lock_account
from accounts.models import AuditLog, BillingAccount, Level, Membership, OrganizationRole
from accounts.public_ids import encode
from billing_site.back_office import burn_down
from billing_site.back_office.account_page import page_of, read_form, with_all
from ledger import accrual, adjustments, chain_search, credits
from ledger.account_lines import Asked, Line, timeline
from ledger.balances import balance
from ledger.models import LedgerEntry
from payments import bank_transfers
from quotas.allocations import complete_release, start
from quotas.price_book import set_rate
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.funding import fund

CHANGE = "admin:accounts_billingaccount_change"
DAY = timedelta(days=1)


@pytest.fixture
def dana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.dana)
    return client


def address(account: BillingAccount, **query: str) -> str:
    return reverse(CHANGE, args=[account.pk]) + (f"?{urlencode(query)}" if query else "")


def transfer(cast: Cast, account: BillingAccount, amount_minor: int, reference: str, at: datetime = NOON) -> None:
    payload = bank_transfers.payload(
        account, amount_minor=amount_minor, currency=account.currency, value_date=at.date(), reference=reference
    )
    bank_transfers.record_transfer(payload, actor=person(cast.dana), reason="statement", at=at)


def shown(account: BillingAccount, at: datetime, **query: str) -> dict[str, object]:
    return page_of(with_all(BillingAccount.objects).get(pk=account.pk), query, at)


def why(account: BillingAccount, at: datetime) -> str:
    return " ".join(strip_tags(sentence) for sentence in shown(account, at)["why"])  # type: ignore[attr-defined]


def all_lines(account: BillingAccount, *, page: int, kind: str = "") -> list[Line]:
    seen: list[Line] = []
    mark = ""
    while True:
        found = timeline(chain_search.find(account.pk, []), Asked(kind=kind, below=mark), page=page)
        seen += found.entries
        mark = found.next_page
        if not mark:
            return seen


def fill(cast: Cast) -> None:
    """A postpaid account with lines on two chains."""
    for number in range(4):
        proposal = adjustments.payload(cast.postpaid, -10, "USD")
        adjustments.adjust(proposal, actor=person(cast.dana), reason="test", at=NOON)
        transfer(cast, cast.postpaid, 7, f"R-{number}")


def run_dry(cast: Cast) -> int:
    """Ten dollars, one GPU at 2.50 an hour from noon: low after two hours, pending after three, used up after four."""
    transfer(cast, cast.prepaid, 1000, "DRY")
    return start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON).pk


@pytest.mark.usefixtures("back_office_scene")
def test_the_page_says_what_is_known(cast: Cast, dana: Client) -> None:
    open_reason(lock_account(cast.prepaid.pk), "dunning", Level.WARN, why="an open invoice", at=NOON)
    page = dana.get(address(cast.prepaid))
    for words in (
        *("47.08 USD", "Healthy: 47.08 USD is above the threshold of 5.00 USD.", "Acme", "Ready", "warn"),
        *("an open invoice", "Training", "1.00 GPU", "2.50 USD", "transfer:STMT-1", cast.prepaid.public_id),
        *("−2.50 USD", "ledger.adjust", "a mistake of ours", "low balance at or below", "shipped default"),
    ):
        assert words in page.text, words
    record = reverse("admin:payments_banktransfer_record")
    assert f"{record}?billing_account={cast.prepaid.public_id}" in page.text


def test_people_are_hidden_until_asked_for(cast: Cast, dana: Client) -> None:
    Membership.objects.filter(user=cast.bob).update(role=OrganizationRole.BILLING_ADMIN)
    page = dana.get(address(cast.prepaid))
    for customer in (cast.alice, cast.bob):
        assert customer.public_id in page.text
        assert customer.email not in page.text
        assert customer.display_name not in page.text
    button = page.text.split(f'aria-label="Show who {cast.bob.public_id} is"')[0].rsplit('value="', 1)[1].split('"')[0]
    asked = dana.post(address(cast.prepaid), {"show_person": button})
    assert cast.bob.email in asked.text
    assert cast.alice.email not in asked.text
    assert AuditLog.objects.filter(action="personal_data.show", subject_id=cast.bob.pk).count() == 1


@pytest.mark.usefixtures("back_office_scene")
def test_acts_are_offered_to_those_who_may_do_them(cast: Cast, client: Client) -> None:
    acts = ("record", "adjust", "grant", "correct", "suspend", "archive")
    for user, offered in ((cast.dana, True), (cast.erin, False)):
        client.force_login(user)
        text = client.get(address(cast.prepaid)).text
        assert [f"/{act}/" in text for act in acts] == [offered] * len(acts)


def test_an_account_never_used_says_what_to_do(cast: Cast, dana: Client) -> None:
    text = dana.get(address(cast.foreign)).text
    for words in ("Nothing was posted yet", "No entries yet.", "Nothing runs.", "0.00 USD", "Nothing ever held"):
        assert words in text, words
    assert "<svg viewBox" not in text.split('id="timeline"')[0].split("account-head")[1]


def test_a_healthy_account_says_when_it_is_used_up(cast: Cast) -> None:
    run_dry(cast)
    assert why(cast.prepaid, NOON) == (
        "Healthy: 10.00 USD is above the threshold of 5.00 USD. "
        "Will be used up around 2026-03-10 16:00:00 UTC at 2.50 USD an hour."
    )


def test_a_low_account_says_why(cast: Cast) -> None:
    run_dry(cast)
    low = NOON + timedelta(hours=2, minutes=10)
    accrual.drain(low)
    assert why(cast.prepaid, low) == (
        "Low: 4.58 USD is at or below the threshold of 5.00 USD; warned 2026-03-10 14:10:00 UTC. "
        "Will be used up around 2026-03-10 15:59:55 UTC at 2.50 USD an hour."
    )
    assert shown(cast.prepaid, low)["state_title"] == "Low balance"


def test_a_pending_account_says_when(cast: Cast) -> None:
    run_dry(cast)
    pending = NOON + timedelta(hours=3, minutes=30)
    accrual.drain(pending)
    assert why(cast.prepaid, pending) == (
        "Will be used up around 2026-03-10 16:00:00 UTC at 2.50 USD an hour. "
        "That is within 1 h, as since 2026-03-10 15:30:00 UTC. At zero the release of everything is asked for."
    )


def test_a_depleted_account_says_what_was_asked_and_what_was_not_confirmed(cast: Cast, dana: Client) -> None:
    key, empty = run_dry(cast), NOON + timedelta(hours=4)
    accrual.drain(empty)
    assert why(cast.prepaid, empty) == (
        "Used up since 2026-03-10 16:00:00 UTC. Nothing new starts. 1 release asked, 1 not confirmed. "
        "What still runs adds 2.50 USD an hour."
    )
    text = dana.get(address(cast.prepaid)).text
    assert "halted" in text
    assert reverse("admin:unconfirmed_releases") in text
    complete_release(key, completed_at=empty, actor=ACTOR, at=empty)
    assert why(cast.prepaid, empty).endswith("1 release asked, all confirmed.")
    transfer(cast, cast.prepaid, 400, "MORE", at=empty + DAY)
    assert why(cast.prepaid, empty + DAY).startswith("Low: 4.00 USD")
    assert "1 release asked, 0 not confirmed" in dana.get(address(cast.prepaid)).text


def test_a_postpaid_account_says_who_owes(cast: Cast, dana: Client) -> None:
    fill(cast)
    text = dana.get(address(cast.postpaid)).text
    assert "The customer owes us this much." in text
    assert "−0.12 USD" in text
    assert "unbilled" in text


def test_chains_stand_where_their_last_line_of_a_moment_left_them(cast: Cast) -> None:
    run_dry(cast)
    for minutes in (1, 7, 20, 61, 100):
        accrual.drain(NOON + timedelta(minutes=minutes))
    lines = list(LedgerEntry.objects.filter(ledger_account__billing_account=cast.prepaid).order_by("account_seq"))
    moments = [NOON + timedelta(seconds=seconds) for seconds in (-1, 0, 59, 60, 61, 420, 1199, 1200, 5000, 6000, 9999)]
    chains = chain_search.find(cast.prepaid.pk, moments)
    for moment in moments:
        before = [line for line in lines if line.effective_at <= moment]
        (place,) = chains.places[moment]
        assert place.seq == len(before)
        assert chains.balance_at(moment, ["wallet"]) == (before[-1].balance_after if before else 0)
    assert chains.kinds == balance(cast.prepaid).kinds
    assert chain_search.find(cast.foreign.pk, moments).heads == []


def test_the_chart_ends_at_zero_when_the_projection_says(cast: Cast) -> None:
    run_dry(cast)
    now = NOON + timedelta(hours=1)
    accrual.drain(now)
    chart = shown(cast.prepaid, now)["chart"]
    assert isinstance(chart, burn_down.BurnDown)
    assert chart.projection.split() == [chart.balance.split()[-1], "1000.0,1000.000"]
    assert chart.ends_at == NOON + timedelta(hours=4)
    assert (chart.day_ends[0].balance_minor, chart.day_ends[-1].balance_minor) == (750, 0)
    assert len(chart.day_ends) == 15
    assert (chart.lowest_minor, chart.highest_minor) == (0, 750)
    assert [tick.label for tick in chart.ticks] == ["0", "2", "4", "6", "8"]


def test_a_projection_beyond_two_weeks_is_cut_there(cast: Cast) -> None:
    fund(cast.prepaid, 250 * 24 * 28)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    chart = shown(cast.prepaid, NOON)["chart"]
    assert isinstance(chart, burn_down.BurnDown)
    assert chart.ends_at == NOON + burn_down.LONGEST_AHEAD
    last, cut = (Decimal(point.split(",")[1]) for point in chart.projection.split())
    zero = Decimal(chart.zero) * 10
    assert abs((zero - last) / 2 - (zero - cut)) < Decimal("0.01")


@pytest.mark.parametrize(
    ("currency", "rate", "amount_minor", "words"),
    [
        ("JPY", "380", 9900, ("9,900 JPY", "380 JPY", "2026-03-11 14:03:09")),
        ("KWD", "0.7655", 20_500, ("20.500 KWD", "0.7655 KWD")),
    ],
)
def test_other_currencies_keep_their_places(
    cast: Cast, dana: Client, currency: str, rate: str, amount_minor: int, words: tuple[str, ...]
) -> None:
    set_rate(cast.gpu, currency=currency, rate_per_unit_hour=rate, effective_from=BEGINNING, actor=ACTOR, at=BEGINNING)
    organization = open_organization("Far", "far", owner=cast.charlie, at=BEGINNING)
    account = open_billing_account(
        organization, cast.entity, "Far", currency=currency, settlement="prepaid", actor=ACTOR, at=BEGINNING
    )
    project = open_project(organization, "Far", "far", at=BEGINNING)
    bind(project, account, actor=ACTOR, at=BEGINNING)
    fund(account, amount_minor)
    start(project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    BillingAccount.objects.filter(pk=account.pk).update(test_now=NOON)
    text = dana.get(address(account)).text
    for word in words:
        assert word in text, word
    assert "lives by a test clock" in text


def test_what_runs_says_what_it_costs(cast: Cast, dana: Client) -> None:
    run_dry(cast)
    start(cast.project, cast.gpu, quantity="0.1234", external_id="small", actor=ACTOR, at=NOON)
    text = dana.get(address(cast.prepaid)).text
    for words in ("0.1234 GPU", "0.3085 USD", "2.8085 USD", "small"):
        assert words in text, words


def test_policies_say_where_they_come_from(cast: Cast, dana: Client) -> None:
    for scope, key, value in (("tenant", cast.acme.pk, 700), ("global", None, 900)):
        policy.set_value(
            "billing.low_balance_threshold_minor",
            value,
            scope=scope,
            scope_id=key,
            actor=ACTOR,
            reason="test",
            at=NOON,
        )
    own, other = dana.get(address(cast.prepaid)).text, dana.get(address(cast.foreign)).text
    assert "7.00 USD" in own
    assert "set for Acme" in own
    assert "9.00 USD" in other
    assert "set for everyone" in other
    assert f"subject={cast.acme.public_id}#billing.low_balance_threshold_minor" in own


def test_reasons_that_are_over_are_kept_apart(cast: Cast) -> None:
    account = lock_account(cast.prepaid.pk)
    open_reason(account, "dunning", Level.RESTRICTED, why="an open invoice", at=NOON)
    open_reason(account, "fraud", Level.HALTED, why="a stolen card", at=NOON)
    standing = shown(account, NOON)["standing"]
    assert standing.level == "halted"  # type: ignore[attr-defined]
    close_reason(account, "fraud", at=NOON)
    standing = shown(account, NOON)["standing"]
    assert standing.level == "restricted"  # type: ignore[attr-defined]
    assert [row.name for row in standing.open_reasons] == ["dunning"]  # type: ignore[attr-defined]
    assert [row.name for row in standing.closed_reasons] == ["fraud"]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("back_office_scene")
def test_the_timeline_is_newest_first_and_whole(cast: Cast) -> None:
    accrual.drain(NOON + timedelta(hours=1))
    own = LedgerEntry.objects.filter(ledger_account__billing_account=cast.prepaid).order_by("-pk")
    seen = all_lines(cast.prepaid, page=7)
    assert [line.pk for line in seen] == [entry.pk for entry in own]
    assert len(seen) > 60


def test_the_timeline_merges_the_accounts_of_a_customer(cast: Cast) -> None:
    """A postpaid customer has entries in several ledger accounts; the pages neither lose nor repeat one."""
    fill(cast)
    own = LedgerEntry.objects.filter(ledger_account__billing_account=cast.postpaid).order_by("-pk")
    seen = all_lines(cast.postpaid, page=3)
    assert {line.kind for line in seen} == {"wallet", "unbilled"}
    assert [line.pk for line in seen] == [entry.pk for entry in own]


@pytest.mark.usefixtures("back_office_scene")
@pytest.mark.parametrize("kind", ["usage", "transfer", "adjustment", "credit_grant", "not_usage", "refund"])
def test_the_timeline_shows_one_kind(cast: Cast, kind: str) -> None:
    credits.grant_credit(
        credits.payload(cast.prepaid, 300, "USD"), actor=person(cast.dana), reason="goodwill", at=NOON + DAY
    )
    own = LedgerEntry.objects.filter(ledger_account__billing_account=cast.prepaid).order_by("-pk")
    wanted = own.exclude(reason="usage") if kind == "not_usage" else own.filter(reason=kind)
    seen = all_lines(cast.prepaid, page=2, kind=kind)
    assert [line.pk for line in seen] == [entry.pk for entry in wanted]
    assert bool(seen) == (kind != "refund")


def test_days_of_the_timeline_are_those_of_the_reader(cast: Cast, dana: Client) -> None:
    for number in range(4):
        transfer(cast, cast.prepaid, 100 + number, f"D-{number}", at=NOON + number * DAY)
    transfer(cast, cast.prepaid, 999, "LATE", at=NOON + 4 * DAY)
    cast.dana.time_zone = "Asia/Tokyo"  # its twelfth begins at 15:00 UTC of the eleventh
    cast.dana.save()
    page = dana.get(address(cast.prepaid, **{"from": "2026-03-11", "to": "2026-03-12"}))
    assert [line.amount_minor for line in page.context["timeline"].entries] == [102, 101]
    one = dana.get(address(cast.prepaid, **{"from": "2026-03-12", "kind": "transfer"}))
    assert [line.amount_minor for line in one.context["timeline"].entries] == [999, 103, 102]
    none = dana.get(address(cast.prepaid, to="2026-03-01"))
    assert "Nothing of that kind in those days." in none.text


def test_pages_of_a_narrowed_timeline_stay_narrowed(cast: Cast, dana: Client) -> None:
    for number in range(35):
        transfer(cast, cast.prepaid, 1 + number, f"N-{number}", at=NOON + timedelta(minutes=number))
    adjustments.adjust(
        adjustments.payload(cast.prepaid, -5, "USD"), actor=person(cast.dana), reason="test", at=NOON + DAY
    )
    first = dana.get(address(cast.prepaid, kind="transfer", **{"from": "2026-03-10"}))
    assert len(first.context["timeline"].entries) == 25
    second = dana.get(reverse(CHANGE, args=[cast.prepaid.pk]) + first.context["older"])
    assert [line.amount_minor for line in second.context["timeline"].entries] == list(range(10, 0, -1))
    assert second.context["older"] == ""
    assert second.context["newest"] == "?kind=transfer&from=2026-03-10"


@pytest.mark.usefixtures("back_office_scene")
@pytest.mark.parametrize(
    "query",
    [
        {"kind": "x"},
        {"kind": "'; DROP TABLE"},
        {"kind": "nul\x00"},
        {"from": "yesterday"},
        {"from": "2026-02-30"},
        {"to": "9999-12-31"},
        {"to": "0001-01-01"},
        {"to": "２０２６-03-01"},
        {"from": "nul\x00"},
    ],
)
def test_a_filter_that_is_none_is_said_and_left_out(cast: Cast, dana: Client, query: dict[str, str]) -> None:
    page = dana.get(address(cast.prepaid, **query))
    assert page.status_code == 200
    assert len(read_form(query).faults) == 1
    assert len(page.context["timeline"].entries) > 5


@pytest.mark.usefixtures("back_office_scene")
@pytest.mark.parametrize("mark", ["x", "1.x", "1", "٣.٣", "-", "9999999999999999999999.1", "1.1-" * 100, "\x00"])
def test_a_mark_that_is_none_shows_the_newest(cast: Cast, dana: Client, mark: str) -> None:
    assert dana.get(address(cast.foreign, below=mark)).status_code == 200
    newest = dana.get(address(cast.prepaid)).context["timeline"].entries
    assert dana.get(address(cast.prepaid, below=mark)).context["timeline"].entries[:1] in (newest[:1], [])


@pytest.mark.usefixtures("back_office_scene")
def test_the_audit_of_the_account_leads_to_the_rest_of_it(cast: Cast, dana: Client) -> None:
    found = dana.get(reverse("admin:accounts_auditlog_changelist") + f"?q={cast.prepaid.public_id}")
    rows = found.context["cl"].result_list
    assert rows
    assert {row.billing_account_id for row in rows} == {cast.prepaid.pk}
    nobody = dana.get(reverse("admin:accounts_auditlog_changelist") + f"?q={encode('ba', 10**9)}")
    assert nobody.context["cl"].result_list == []


@pytest.mark.usefixtures("back_office_scene")
def test_the_page_asks_a_dozen_times_at_most(cast: Cast, dana: Client, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    fill(cast)
    Membership.objects.filter(user=cast.bob).update(role=OrganizationRole.BILLING_ADMIN)
    for number in range(30):
        start(cast.project, cast.gpu, quantity="1", external_id=f"m-{number}", actor=ACTOR, at=NOON)
    accrual.drain(NOON + timedelta(hours=5))  # used up
    for account in (cast.prepaid, cast.postpaid, cast.foreign):
        for query in ({}, {"kind": "not_usage", "from": "2026-03-01", "to": "2026-03-31", "below": "1.2"}):
            with django_assert_max_num_queries(12):
                assert dana.get(address(account, **query)).status_code == 200
