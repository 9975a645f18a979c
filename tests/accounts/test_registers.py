"""The registers every room signs: enforcement, conditions, guards, audit."""

from datetime import timedelta

import pytest

from accounts import correlation, enforcement, guards
from accounts.audit import person, record, require_reason, system
from accounts.conditions import set_condition
from accounts.errors import Guarded, ReasonRequired
from accounts.models import AuditLog, Condition, ConditionStatus, EnforcementReason, Level
from ledger.adjustments import adjust
from ledger.adjustments import payload as adjustment
from tests.cast import NOON, Cast
from tests.ledger.raw_sql import execute, refused_by

HOUR = timedelta(hours=1)
LATER = NOON + HOUR


def hold(cast: Cast, source: str, wanted: Level) -> EnforcementReason:
    return enforcement.open_reason(cast.prepaid, source, wanted, why="because", at=NOON)


def test_an_account_nobody_holds_back_is_full(cast: Cast) -> None:
    assert enforcement.level(cast.prepaid.pk) == "full"


def test_the_level_is_the_worst_open_reason(cast: Cast) -> None:
    seen = []
    for source, wanted in (("balance", Level.WARN), ("dunning", Level.HALTED), ("staff", Level.RESTRICTED)):
        hold(cast, source, wanted)
        seen.append(enforcement.level(cast.prepaid.pk))
    assert seen == ["warn", "halted", "halted"]
    assert enforcement.close_reason(cast.prepaid, "dunning", at=LATER)
    assert enforcement.level(cast.prepaid.pk) == "restricted"
    assert enforcement.level(cast.postpaid.pk) == "full"


def test_a_source_has_one_open_reason_and_its_past_is_kept(cast: Cast) -> None:
    first = hold(cast, "dunning", Level.WARN)
    assert hold(cast, "dunning", Level.WARN) == first
    hold(cast, "dunning", Level.HALTED)
    rows = EnforcementReason.objects.filter(billing_account=cast.prepaid).order_by("id")
    assert [(row.level, row.closed_at) for row in rows] == [("warn", NOON), ("halted", None)]
    with refused_by("one_open_reason_per_source"):
        EnforcementReason.objects.create(
            billing_account=cast.prepaid, source="dunning", level="warn", why="twice", since=NOON
        )
    with refused_by("enforcement_level_is_known"):
        execute("UPDATE enforcement_reasons SET level = 'banned'")


def test_closing_what_is_not_open_says_so(cast: Cast) -> None:
    assert not enforcement.close_reason(cast.prepaid, "dunning", at=LATER)
    hold(cast, "dunning", Level.WARN)
    assert not enforcement.close_reason(cast.prepaid, "balance", at=LATER)
    assert enforcement.close_reason(cast.prepaid, "dunning", at=LATER)
    assert not enforcement.close_reason(cast.prepaid, "dunning", at=LATER)


def test_a_condition_says_whether_it_changed_and_since_when(cast: Cast) -> None:
    account = cast.prepaid.pk
    steps = [
        (ConditionStatus.TRUE, "Billing", "", True),
        (ConditionStatus.TRUE, "Billing", "", False),
        (ConditionStatus.TRUE, "Billing", "a word", False),
        (ConditionStatus.TRUE, "Slow", "a word", True),
        (ConditionStatus.FALSE, "Parked", "", True),
    ]
    said = [
        set_condition(
            account, "Healthy", status=status, reason=reason, message=text, at=NOON + hour * timedelta(hours=1)
        )
        for hour, (status, reason, text, _) in enumerate(steps)
    ]
    assert said == [changed for *_, changed in steps]
    condition = Condition.objects.get(billing_account=account, type="Healthy")
    assert condition.last_transition_at == NOON + 4 * HOUR
    assert (condition.status, condition.reason, condition.message) == ("False", "Parked", "")


def test_a_condition_keeps_its_moment_while_its_status_stays(cast: Cast) -> None:
    set_condition(cast.prepaid.pk, "Healthy", status=ConditionStatus.TRUE, reason="Billing", at=NOON)
    set_condition(cast.prepaid.pk, "Healthy", status=ConditionStatus.TRUE, reason="Slow", at=LATER)
    assert Condition.objects.get(type="Healthy").last_transition_at == NOON


def test_there_is_one_condition_of_a_type_and_its_status_is_known(cast: Cast) -> None:
    with refused_by("one_condition_per_type"):
        Condition.objects.create(
            billing_account=cast.prepaid, type="Ready", status="True", reason="Twice", last_transition_at=NOON
        )
    with refused_by("conditions_status_is_known"):
        execute("UPDATE conditions SET status = 'Maybe'")


@pytest.fixture
def no_guards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "_guards", type(guards._guards)(list))


@pytest.mark.usefixtures("no_guards")
def test_an_act_without_guards_passes() -> None:
    guards.check("account.archive", account=1)


@pytest.mark.usefixtures("no_guards")
def test_guards_name_all_that_blocks_and_the_first_gives_the_code() -> None:
    asked: list[int] = []

    def balance_guard(*, account: int) -> list[str]:
        asked.append(account)
        return ["has_balance"]

    guards.register("account.archive", balance_guard)
    guards.register("account.archive", balance_guard)
    guards.register("account.archive", lambda account: ["has_running_allocations"])
    guards.register("account.archive", lambda account: [])
    guards.register("another.act", lambda account: ["account_halted"])
    with pytest.raises(Guarded) as refused:
        guards.check("account.archive", account=7)
    assert (refused.value.code, refused.value.status) == ("has_balance", 409)
    assert refused.value.detail == "the balance is not zero; allocations are still running"
    assert asked == [7]


def test_an_audit_row_says_who_did_what_why_and_what_it_moved(cast: Cast) -> None:
    with correlation.bind("request-7"):
        adjust(adjustment(cast.prepaid, 700, "USD"), actor=person(cast.dana), reason=" goodwill ", at=NOON)
        adjust(adjustment(cast.prepaid, -200, "USD"), actor=person(cast.dana), reason="too much", at=LATER)
    first, second = AuditLog.objects.filter(action="ledger.adjust").order_by("id")
    assert (first.actor, first.actor_kind, first.reason) == (cast.dana, "user", "goodwill")
    assert (first.old_balance, first.new_balance) == (0, 700)
    assert (second.old_balance, second.new_balance, second.at) == (700, 500, LATER)
    assert (first.billing_account, first.organization, first.correlation_id) == (cast.prepaid, cast.acme, "request-7")
    assert first.after == {"maker": f"user:{cast.dana.pk}", "checker": None}


def test_audit_rows_hold_ids_and_no_addresses(cast: Cast) -> None:
    row = record(person(cast.dana), "test.act", subject=("nothing", None), at=NOON)
    written = " ".join(str(getattr(row, field.attname)) for field in AuditLog._meta.fields)
    assert "dana" not in written.lower()
    assert row.actor_id == cast.dana.pk


def test_a_part_of_the_system_is_named(cast: Cast) -> None:
    row = record(system("accrual"), "test.act", subject=("nothing", 1), at=NOON)
    assert (row.actor_id, row.actor_kind) == (None, "accrual")


@pytest.mark.parametrize("reason", ["", "   ", "ab", " ab ", "x" * 2001, "nul\x00l"])
def test_a_reason_is_given(reason: str) -> None:
    with pytest.raises(ReasonRequired) as refused:
        require_reason(reason)
    assert refused.value.code == "reason_required"


@pytest.mark.parametrize("reason", ["abc", " abc ", "x" * 2000])
def test_a_reason_is_trimmed(reason: str) -> None:
    assert require_reason(reason) == reason.strip()
