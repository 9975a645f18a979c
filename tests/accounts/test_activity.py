"""What people did, in words: complete, without what systems did, and without showing who a customer is."""

import pytest
from django.utils.html import strip_tags

from accounts import activity, approvals, features
from accounts.account_phases import suspend
from accounts.activity_feed import PAGE, of_account, of_organization
from accounts.audit import Actor, person, record, system
from accounts.billing_detail_changes import set_contact
from accounts.billing_details import Contact
from accounts.bindings import rebind
from accounts.lifecycle import open_project
from accounts.models import AuditLog, BillingAccount
from accounts.payment_terms import PaymentTerms, set_terms
from accounts.policy import set_value
from ledger import adjustments, parking
from ledger.errors import Unpriced
from quotas.allocations import start
from tests.cast import NOON, Cast
from tests.funding import fund

WHY = "the customer wrote"


def sentences(feed: object) -> list[str]:
    """Who, and what, without markup."""
    lines = feed.lines  # type: ignore[attr-defined]
    return [f"{line.who} {strip_tags(line.sentence)}" for line in lines]


def test_each_act_is_a_sentence_newest_first(cast: Cast) -> None:
    dana = person(cast.dana)
    fund(cast.prepaid)
    suspend(cast.postpaid.pk, actor=dana, reason=WHY, at=NOON)
    set_terms(cast.prepaid.pk, PaymentTerms(45, "Quarterly", 15), by=cast.dana, reason=WHY, at=NOON)
    set_contact(cast.prepaid.pk, Contact("ann@acme.example", "Ann"), actor=person(cast.alice), at=NOON)
    proposal = adjustments.payload(cast.prepaid, -250, "USD")
    adjustments.adjust(proposal, actor=dana, reason=WHY, at=NOON)
    features.revoke(cast.acme.pk, "multi-billing-accounts", actor=dana, reason=WHY, at=NOON)
    where = {"scope": "tenant", "scope_id": cast.acme.pk}
    set_value("quotas.projects_limit", 20, **where, actor=dana, reason=WHY, at=NOON)
    open_project(cast.acme, "Research", "research", actor=dana, reason=WHY, at=NOON)
    assert sentences(of_organization(cast.acme.pk)) == [
        "Dana opened the project Research",
        "Dana set the policy quotas.projects_limit to 20",
        "Dana took the feature multi-billing-accounts back",
        "Dana adjusted the balance of Acme prepaid by −2.50 USD",
        f"A. ({cast.alice.public_id}) changed the contact of Acme prepaid",
        "Dana changed the payment terms of Acme prepaid: due after 45 days, Quarterly, on day 15",
        "Dana suspended the billing account Acme postpaid",
    ]
    assert sentences(of_account(cast.postpaid.pk)) == ["Dana suspended the billing account Acme postpaid"]
    assert of_organization(cast.strangers.pk).lines == []
    (line,) = of_account(cast.postpaid.pk).lines
    assert (line.reason, line.kind, line.at) == (WHY, "account", NOON)
    assert f"/billingaccount/{cast.postpaid.pk}/change/" in line.sentence


def test_what_needs_two_people_is_told_by_what_was_asked(cast: Cast) -> None:
    large = adjustments.payload(cast.prepaid, 50_000, "USD")
    asked = approvals.submit(adjustments.ACT, large, maker=cast.dana, reason=WHY, at=NOON).request
    assert asked is not None
    approvals.decide(asked.pk, checker=cast.erin, approve=True, note="seen", at=NOON)
    assert sentences(of_account(cast.prepaid.pk)) == [
        "Dana adjusted the balance of Acme prepaid by +500.00 USD",
        f"Erin approved: {asked.summary}",
        f"Dana asked a second person to approve: {asked.summary}",
    ]


def test_a_move_is_told_once_in_the_organization_and_on_both_accounts(cast: Cast) -> None:
    rebind(cast.project, cast.postpaid, actor=person(cast.dana), reason=WHY, at=NOON)
    moved = "Dana moved the project Training to Acme postpaid"
    assert sentences(of_organization(cast.acme.pk)) == [moved]
    assert sentences(of_account(cast.postpaid.pk)) == [moved]
    assert sentences(of_account(cast.prepaid.pk)) == ["Dana moved the project Training away from Acme prepaid"]


def test_what_systems_did_is_left_out(cast: Cast) -> None:
    parking.park(cast.prepaid.pk, Unpriced([cast.prepaid.pk]), at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=system("provisioner"), at=NOON)
    assert AuditLog.objects.filter(billing_account=cast.prepaid).count() >= 3
    assert of_organization(cast.acme.pk).lines == []
    start(cast.project, cast.gpu, quantity="1", actor=person(cast.bob), at=NOON)
    (line,) = sentences(of_account(cast.prepaid.pk))
    assert line.startswith(f"B. ({cast.bob.public_id}) started GPU alc_")
    assert line.endswith("paid by Acme prepaid")


def write(account: BillingAccount, actor: Actor, action: str, times: int = 1, **given: object) -> None:
    for _ in range(times):
        record(actor, action, subject=("billing_account", account.pk), account=account, at=NOON, **given)  # type: ignore[arg-type]


def test_pages_follow_each_other_without_gap_or_overlap(cast: Cast) -> None:
    dana = person(cast.dana)
    for number in range(2 * PAGE + 3):
        write(cast.prepaid, dana, "billing_account.suspend" if number % 2 else "ledger.adjust", reason=f"no {number}")
        write(cast.prepaid, system("tick"), "accrual.park")
    seen: list[str] = []
    below = ""
    while True:
        feed = of_organization(cast.acme.pk, below=below)
        seen += [line.reason for line in feed.lines]
        below = feed.older
        if not below:
            break
    assert seen == [f"no {number}" for number in reversed(range(2 * PAGE + 3))]
    money = of_account(cast.prepaid.pk, kind="money")
    assert {line.kind for line in money.lines} == {"money"}
    assert len(money.lines) == PAGE
    rest = of_account(cast.prepaid.pk, kind="money", below=money.older)
    assert (len(rest.lines), rest.older) == (2, "")


@pytest.mark.parametrize("below", ["x", "-1", "١", "9" * 30, "1.5", "\x00"])
def test_a_mark_that_is_none_begins_at_the_top(cast: Cast, below: str) -> None:
    write(cast.prepaid, person(cast.dana), "billing_account.suspend")
    assert len(of_account(cast.prepaid.pk, below=below).lines) == 1


def test_what_stands_in_a_row_is_text_and_never_markup(cast: Cast) -> None:
    project = open_project(cast.acme, "<script>alert(1)</script>", "script", actor=person(cast.dana), at=NOON)
    write(cast.prepaid, person(cast.dana), "feature.grant", after={"feature": "<b>bold</b>"})
    feature, opened = of_organization(cast.acme.pk).lines
    assert "&lt;b&gt;bold" in feature.sentence
    assert "<script>" not in opened.sentence
    assert f"/project/{project.pk}/change/" in opened.sentence


def test_an_act_of_yesterday_that_nobody_knows_any_more_is_still_told(cast: Cast) -> None:
    write(cast.prepaid, person(cast.dana), "teleport.engage")
    write(cast.prepaid, person(cast.dana), "policy.set", after=None)
    assert sentences(of_account(cast.prepaid.pk)) == [
        "Dana set the policy none to none",
        "Dana did teleport.engage",
    ]
    assert activity.words_of("teleport.engage").kind in activity.KINDS


def test_a_page_asks_a_handful_of_times_however_much_it_tells(
    cast: Cast,
    django_assert_max_num_queries,  # type: ignore[no-untyped-def]
) -> None:
    write(cast.prepaid, person(cast.dana), "billing_account.suspend", times=PAGE)
    for number in range(5):
        open_project(cast.acme, f"P {number}", f"p-{number}", actor=person(cast.dana), at=NOON)
    with django_assert_max_num_queries(4):
        assert len(of_organization(cast.acme.pk).lines) == PAGE
