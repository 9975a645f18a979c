"""Above its limit an act waits for a second person, whoever asks; what was approved happens once."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail

from accounts import outbox_relay
from accounts.approvals import Outcome, decide, expire_due, submit
from accounts.audit import person, system
from accounts.errors import (
    ApprovalRefused,
    ApprovalRequired,
    DomainError,
    Forbidden,
    MakerIsChecker,
    NotFound,
    ReasonRequired,
)
from accounts.models import ApprovalRequest, AuditLog, OutboxMessage, User
from accounts.policy import set_value
from ledger import adjustments, corrections
from ledger.balances import balance
from ledger.models import LedgerTransaction
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race, successes
from tests.ledger.raw_sql import execute, refused_by

LIMIT = 10_000  # approvals.credit_minor by default
LATER = NOON + timedelta(hours=1)


def ask(cast: Cast, amount_minor: int = LIMIT + 1, *, maker: User | None = None, currency: str = "USD") -> Outcome:
    proposal = adjustments.payload(cast.prepaid, amount_minor, currency)
    return submit(adjustments.ACT, proposal, maker=maker or cast.dana, reason="goodwill", at=NOON)


def filed(cast: Cast, amount_minor: int = LIMIT + 1, *, maker: User | None = None) -> ApprovalRequest:
    request = ask(cast, amount_minor, maker=maker).request
    assert request is not None
    return request


def approve(request: ApprovalRequest, checker: User) -> ApprovalRequest:
    return decide(request.pk, checker=checker, approve=True, note="looks right", at=LATER)


def owned(cast: Cast) -> int:
    return balance(cast.prepaid).amount_minor


def root() -> User:
    return User.objects.create_superuser("root@countinghouse.example")


@pytest.mark.parametrize("amount_minor", [1, LIMIT])
def test_within_the_limit_the_act_is_done_at_once(cast: Cast, amount_minor: int) -> None:
    outcome = ask(cast, amount_minor)
    assert outcome.request is None
    assert outcome.result is not None
    assert owned(cast) == amount_minor
    assert not ApprovalRequest.objects.exists()


def test_above_the_limit_a_request_is_filed_and_nothing_is_posted(cast: Cast) -> None:
    outcome = ask(cast)
    assert outcome.result is None
    request = filed(cast)
    assert (request.act, request.state, request.maker, request.reason) == (
        "ledger.adjust",
        "pending",
        cast.dana,
        "goodwill",
    )
    assert (request.amount_minor, request.currency, request.billing_account) == (LIMIT + 1, "USD", cast.prepaid)
    assert request.expires_at == NOON + timedelta(hours=72)
    assert "100.01 USD" in request.summary
    assert not LedgerTransaction.objects.exists()
    assert AuditLog.objects.filter(action="approval.request", actor=cast.dana).count() == 2


def test_the_limit_binds_debits_as_it_binds_credits(cast: Cast) -> None:
    approve(filed(cast, 50_000), cast.erin)
    assert ask(cast, -LIMIT - 1).request is not None
    assert owned(cast) == 50_000


def test_the_limit_counts_in_the_currency_it_names(cast: Cast) -> None:
    proposal = {
        "key": "approvals.credit_minor",
        "value": {"amount_minor": LIMIT, "currency": "EUR"},
        "scope": "global",
        "scope_id": None,
    }
    request = submit("accounts.set_policy", proposal, maker=cast.dana, reason="euros", at=NOON).request
    assert request is not None
    approve(request, cast.erin)
    assert ask(cast, 1).request is not None


def test_a_second_person_performs_what_was_asked(cast: Cast) -> None:
    request = approve(filed(cast), cast.erin)
    assert owned(cast) == LIMIT + 1
    assert (request.state, request.checker, request.decided_at, request.note) == (
        "approved",
        cast.erin,
        LATER,
        "looks right",
    )
    request.refresh_from_db()
    assert request.result["balance_minor"] == LIMIT + 1
    row = AuditLog.objects.get(action="ledger.adjust")
    assert (row.actor, row.reason, row.old_balance, row.new_balance) == (cast.dana, "goodwill", 0, LIMIT + 1)
    assert row.after == {"maker": f"user:{cast.dana.pk}", "checker": cast.erin.pk}
    assert AuditLog.objects.get(action="approval.approve").actor == cast.erin


def test_a_rejected_request_does_nothing(cast: Cast) -> None:
    request = filed(cast)
    decide(request.pk, checker=cast.erin, approve=False, note="no reason to", at=LATER)
    assert owned(cast) == 0
    with pytest.raises(ApprovalRefused):
        approve(request, cast.erin)


def test_whoever_asked_cannot_decide(cast: Cast) -> None:
    cast.dana.groups.set(cast.erin.groups.all() | cast.dana.groups.all())
    with pytest.raises(MakerIsChecker) as refused:
        approve(filed(cast), cast.dana)
    assert (refused.value.code, refused.value.status) == ("maker_is_checker", 409)
    assert owned(cast) == 0


def test_superusers_are_bound_as_well(cast: Cast) -> None:
    power = root()
    request = filed(cast, maker=power)
    with pytest.raises(MakerIsChecker):
        approve(request, power)
    assert owned(cast) == 0
    approve(request, cast.erin)
    assert owned(cast) == LIMIT + 1


@pytest.mark.parametrize("who", ["alice", "bob", "dana", "charlie"])
def test_only_an_approver_decides(cast: Cast, who: str) -> None:
    request = filed(cast, maker=root())
    with pytest.raises(Forbidden) as refused:
        approve(request, getattr(cast, who))
    assert refused.value.status == 403
    assert owned(cast) == 0


@pytest.mark.parametrize("who", ["alice", "erin"])
def test_only_an_operator_asks(cast: Cast, who: str) -> None:
    for amount_minor in (1, LIMIT + 1):
        with pytest.raises(Forbidden):
            ask(cast, amount_minor, maker=getattr(cast, who))
    assert owned(cast) == 0
    assert not ApprovalRequest.objects.exists()


def test_a_dismissed_approver_no_longer_decides(cast: Cast) -> None:
    request = filed(cast)
    cast.erin.is_active = False
    cast.erin.save()
    with pytest.raises(Forbidden):
        approve(request, cast.erin)


def test_a_request_is_decided_once(cast: Cast) -> None:
    request = approve(filed(cast), cast.erin)
    for approving in (True, False):
        with pytest.raises(ApprovalRefused) as refused:
            decide(request.pk, checker=cast.erin, approve=approving, note="again", at=LATER)
        assert refused.value.code == "approval_refused"
    assert owned(cast) == LIMIT + 1


def test_an_unknown_request_is_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound):
        decide(10**12, checker=cast.erin, approve=True, note="", at=LATER)


def test_a_request_lapses_after_three_days(cast: Cast) -> None:
    request = filed(cast)
    end = NOON + timedelta(hours=72)
    assert expire_due(end - timedelta(seconds=1)) == 0
    with pytest.raises(ApprovalRefused):
        decide(request.pk, checker=cast.erin, approve=True, note="late", at=end)
    assert expire_due(end) == 1
    assert expire_due(end) == 0
    request.refresh_from_db()
    assert (request.state, request.decided_at, request.checker) == ("expired", end, None)
    with pytest.raises(ApprovalRefused):
        approve(request, cast.erin)
    assert owned(cast) == 0


def test_the_time_a_request_lives_is_a_policy(cast: Cast) -> None:
    set_value("approvals.expiry_hours", 1, scope="global", scope_id=None, actor=ACTOR, reason="shorter", at=NOON)
    assert filed(cast).expires_at == NOON + timedelta(hours=1)


def test_a_request_needs_a_reason(cast: Cast) -> None:
    proposal = adjustments.payload(cast.prepaid, LIMIT + 1, "USD")
    with pytest.raises(ReasonRequired):
        submit(adjustments.ACT, proposal, maker=cast.dana, reason=" ", at=NOON)
    assert not ApprovalRequest.objects.exists()


def call(cast: Cast, proposal: dict[str, Any], approval: ApprovalRequest | None) -> dict[str, Any]:
    return adjustments.adjust(proposal, actor=person(cast.dana), reason="goodwill", at=LATER, approval=approval)


def test_a_direct_call_above_the_limit_is_refused_even_to_the_system(cast: Cast) -> None:
    proposal = adjustments.payload(cast.prepaid, LIMIT + 1, "USD")
    with pytest.raises(ApprovalRequired) as refused:
        call(cast, proposal, None)
    assert (refused.value.code, refused.value.field) == ("approval_required", "amount_minor")
    with pytest.raises(ApprovalRequired):
        adjustments.adjust(proposal, actor=system("cron"), reason="goodwill", at=NOON)
    assert owned(cast) == 0


def test_an_approval_that_is_pending_rejected_or_made_up_lets_nothing_pass(cast: Cast) -> None:
    pending, rejected = filed(cast), filed(cast)
    rejected = decide(rejected.pk, checker=cast.erin, approve=False, note="no", at=LATER)
    made_up = ApprovalRequest(
        pk=10**12, act="ledger.adjust", payload=pending.payload, state="approved", checker=cast.erin
    )
    pending_pretending = ApprovalRequest.objects.get(pk=pending.pk)
    pending_pretending.state, pending_pretending.checker = "approved", cast.erin
    for approval in (pending, rejected, made_up, pending_pretending):
        with pytest.raises(ApprovalRequired):
            call(cast, pending.payload, approval)
    assert owned(cast) == 0


def test_a_spent_approval_lets_nothing_pass_twice(cast: Cast) -> None:
    request = approve(filed(cast), cast.erin)
    with pytest.raises(ApprovalRequired):
        call(cast, request.payload, request)
    assert owned(cast) == LIMIT + 1


def test_an_approval_is_for_exactly_what_was_proposed(cast: Cast) -> None:
    request = filed(cast)
    execute(
        "UPDATE approval_requests SET state = 'approved', checker_id = %s, decided_at = now() WHERE id = %s",
        [cast.erin.pk, request.pk],
    )
    request.refresh_from_db()
    for change in ({"amount_minor": LIMIT + 2}, {"billing_account": cast.foreign.pk}, {"more": 1}):
        with pytest.raises(ApprovalRequired):
            call(cast, {**request.payload, **change}, request)
    with pytest.raises(ApprovalRequired):  # an approval of one act is none of another
        corrections.correct(
            {"transaction": approved_transaction(cast)},
            actor=person(cast.dana),
            reason="undo",
            at=LATER,
            approval=request,
        )
    assert call(cast, request.payload, request)["balance_minor"] == 2 * LIMIT + 3


def approved_transaction(cast: Cast) -> int:
    request = approve(filed(cast, LIMIT + 2), cast.erin)
    return int(request.result["transaction"])


def test_an_approved_act_that_fails_leaves_the_request_undecided(cast: Cast) -> None:
    approve(filed(cast, 50_000), cast.erin)
    request = filed(cast, -20_000)
    approve(filed(cast, -40_000), cast.erin)
    with pytest.raises(DomainError) as refused:
        approve(request, cast.erin)
    assert refused.value.code == "insufficient_balance"
    request.refresh_from_db()
    assert (request.state, request.checker) == ("pending", None)
    assert owned(cast) == 10_000


def test_approvers_are_told_and_what_happened_is_published(cast: Cast) -> None:
    request = approve(filed(cast), cast.erin)
    topics = OutboxMessage.objects.filter(topic__startswith="approvals.").order_by("id")
    assert list(topics.values_list("topic", flat=True)) == ["approvals.requested", "approvals.decided"]
    assert topics[1].payload == {"approval": request.public_id, "state": "approved"}
    outbox_relay.drain(LATER)
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([cast.erin.email], "Approval wanted")
    assert request.public_id in message.body
    assert message.from_email == settings.DEFAULT_FROM_EMAIL


def test_two_racing_approvals_have_one_effect(committed_db: str, cast: Cast) -> None:
    request = filed(cast)
    power = root()
    results = race(*[lambda checker=checker: approve(request, checker) for checker in (cast.erin, power) * 3])
    assert len(successes(results)) == 1
    assert {type(error) for error in failures(results)} == {ApprovalRefused}
    assert owned(cast) == LIMIT + 1
    assert LedgerTransaction.objects.count() == 1


def test_an_approval_and_a_rejection_at_once_do_not_both_happen(committed_db: str, cast: Cast) -> None:
    request = filed(cast)

    def choose(approving: bool) -> ApprovalRequest:
        return decide(request.pk, checker=cast.erin, approve=approving, note="quick", at=LATER)

    results = race(*[lambda approving=approving: choose(approving) for approving in (True, False) * 2])
    (decided,) = successes(results)
    request.refresh_from_db()
    assert request.state == decided.state
    assert owned(cast) == (LIMIT + 1 if request.state == "approved" else 0)


APPROVED = "state = 'approved', decided_at = now(), checker_id = "


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (f"{APPROVED} maker_id", "approval_maker_is_not_checker"),
        (f"{APPROVED} NULL", "approval_decision_is_whole"),
        ("state = 'approved', checker_id = {erin}", "approval_decision_is_whole"),
        ("state = 'expired'", "approval_decision_is_whole"),
        ("state = 'blessed', decided_at = now(), checker_id = {erin}", "approval_decision_is_whole"),
        ("amount_minor = 1", "approvals_are_decided_once"),
        ("payload = '{{}}'", "approvals_are_decided_once"),
        ("note = 'still pending'", "approvals_are_decided_once"),
        (f"{APPROVED} {{erin}}, payload = '{{{{}}}}'", "approvals_are_decided_once"),
        (f"{APPROVED} {{erin}}, amount_minor = 1", "approvals_are_decided_once"),
        (f"{APPROVED} {{erin}}, maker_id = {{bob}}", "approvals_are_decided_once"),
        (f"{APPROVED} {{erin}}, expires_at = expires_at + interval '1 day'", "approvals_are_decided_once"),
    ],
)
def test_the_database_refuses_a_decision_that_is_not_one(cast: Cast, change: str, rule: str) -> None:
    request = filed(cast)
    with refused_by(rule):
        execute(
            f"UPDATE approval_requests SET {change.format(erin=cast.erin.pk, bob=cast.bob.pk)} WHERE id = %s",
            [request.pk],
        )


@pytest.mark.parametrize(
    "change",
    [
        "state = 'pending', checker_id = NULL, decided_at = NULL",
        "state = 'rejected'",
        "note = 'rewritten'",
        "result = '{\"again\": 1}'",
        "result = NULL",
    ],
)
def test_the_database_refuses_a_second_decision(cast: Cast, change: str) -> None:
    request = approve(filed(cast), cast.erin)
    with refused_by("approvals_are_decided_once"):
        execute(f"UPDATE approval_requests SET {change} WHERE id = %s", [request.pk])


def test_a_request_is_born_pending(cast: Cast) -> None:
    with refused_by("approvals_are_decided_once"):
        ApprovalRequest.objects.create(
            act="ledger.adjust",
            payload={},
            summary="born approved",
            reason="quick",
            maker=cast.dana,
            checker=cast.erin,
            decided_at=NOON,
            state="approved",
            requested_at=NOON,
            expires_at=LATER,
        )
