"""Suspend, reactivate, archive: what each writes, what each refuses, and that archived is for ever."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from accounts import account_phases, enforcement, guards
from accounts.account_phases import ARCHIVE, REACTIVATE, SUSPEND, WrongPhase, archive, reactivate, suspend
from accounts.audit import person
from accounts.bindings import bind, rebind
from accounts.errors import AccountNotReady, DomainError, Guarded
from accounts.lifecycle import open_project
from accounts.models import AuditLog, BillingAccount, Condition, EnforcementReason, OutboxMessage, Phase
from tests.cast import NOON, Cast
from tests.ledger.raw_sql import execute, fetch, refused_by

LATER = NOON + timedelta(hours=1)
Act = Callable[..., BillingAccount]


def act(cast: Cast, change: Act, reason: str = "unpaid", at: datetime = NOON) -> BillingAccount:
    return change(cast.prepaid.pk, actor=person(cast.dana), reason=reason, at=at)


def ready(cast: Cast) -> Condition:
    return Condition.objects.get(billing_account=cast.prepaid, type="Ready")


def held() -> list[tuple[str, str, str, datetime, datetime | None]]:
    rows = EnforcementReason.objects.filter(source="phase").order_by("id")
    return list(rows.values_list("source", "level", "why", "since", "closed_at"))


def test_suspending_holds_the_account_back_and_is_kept_and_told(cast: Cast) -> None:
    account = act(cast, suspend, " unpaid since May ")
    assert (account.pk, account.phase) == (cast.prepaid.pk, Phase.SUSPENDED)
    assert BillingAccount.objects.get(pk=account.pk).phase == Phase.SUSPENDED
    condition = ready(cast)
    assert (condition.status, condition.reason) == ("False", "BillingAccountNotReady")
    assert (condition.message, condition.last_transition_at) == ("The billing account is suspended.", NOON)
    assert held() == [("phase", "restricted", "suspended: unpaid since May", NOON, None)]
    assert enforcement.level(account.pk) == "restricted"
    row = AuditLog.objects.get(action="billing_account.suspend")
    assert (row.actor, row.reason, row.at) == (cast.dana, "unpaid since May", NOON)
    assert (row.subject_type, row.subject_id, row.billing_account) == ("billing_account", account.pk, cast.prepaid)
    assert (row.before, row.after) == ({"phase": "Ready"}, {"phase": "Suspended"})
    message = OutboxMessage.objects.get(topic="accounts.account_suspended")
    assert message.payload == {"account": cast.prepaid.public_id, "phase": "Suspended"}
    assert message.billing_account == cast.prepaid
    assert list(account.history.order_by("history_id").values_list("phase", flat=True)) == ["Ready", "Suspended"]


def test_reactivating_undoes_it(cast: Cast) -> None:
    act(cast, suspend)
    account = act(cast, reactivate, "paid", LATER)
    assert account.phase == Phase.READY
    assert (ready(cast).status, ready(cast).reason, ready(cast).message) == ("True", "BillingAccountReady", "")
    assert ready(cast).last_transition_at == LATER
    assert held() == [("phase", "restricted", "suspended: unpaid", NOON, LATER)]
    assert enforcement.level(account.pk) == "full"
    row = AuditLog.objects.get(action="billing_account.reactivate")
    assert (row.before, row.after, row.reason) == ({"phase": "Suspended"}, {"phase": "Ready"}, "paid")
    assert OutboxMessage.objects.get(topic="accounts.account_reactivated").payload["phase"] == "Ready"


@pytest.mark.parametrize("first_suspended", [False, True])
def test_archiving_halts_the_account(cast: Cast, first_suspended: bool) -> None:
    if first_suspended:
        act(cast, suspend)
    account = act(cast, archive, "closed by the customer", LATER)
    assert account.phase == Phase.ARCHIVED
    assert (ready(cast).status, ready(cast).message) == ("False", "The billing account is archived.")
    assert held()[-1] == ("phase", "halted", "archived: closed by the customer", LATER, None)
    assert [row[1] for row in held()[:-1]] == (["restricted"] if first_suspended else [])
    assert all(row[4] == LATER for row in held()[:-1])
    assert enforcement.level(account.pk) == "halted"
    row = AuditLog.objects.get(action="billing_account.archive")
    assert row.before == {"phase": "Suspended" if first_suspended else "Ready"}
    assert OutboxMessage.objects.get(topic="accounts.account_archived").payload["phase"] == "Archived"


def test_a_reason_of_another_source_stays_when_the_account_is_reactivated(cast: Cast) -> None:
    enforcement.open_reason(cast.prepaid, "balance", account_phases.Level.HALTED, why="empty", at=NOON)
    act(cast, suspend)
    act(cast, reactivate)
    assert enforcement.level(cast.prepaid.pk) == "halted"


@pytest.mark.parametrize(
    ("path", "change", "phase"),
    [
        ((), reactivate, "Ready"),
        ((suspend,), suspend, "Suspended"),
        ((suspend, reactivate), reactivate, "Ready"),
        ((archive,), suspend, "Archived"),
        ((archive,), reactivate, "Archived"),
        ((archive,), archive, "Archived"),
        ((suspend, archive), reactivate, "Archived"),
    ],
)
def test_a_wrong_change_of_phase_is_refused_and_writes_nothing(
    cast: Cast, path: tuple[Act, ...], change: Act, phase: str
) -> None:
    for step in path:
        act(cast, step)
    before = written()
    with pytest.raises(WrongPhase) as refused:
        act(cast, change)
    assert (refused.value.code, refused.value.status, refused.value.field) == ("wrong_phase", 409, "billing_account")
    assert phase in refused.value.detail
    assert written() == before


def written() -> list[tuple[object, ...]]:
    return fetch(
        "SELECT (SELECT count(*) FROM audit_logs), (SELECT count(*) FROM outbox), (SELECT count(*) FROM conditions),"
        " (SELECT count(*) FROM enforcement_reasons), (SELECT count(*) FROM accounts_historicalbillingaccount),"
        " (SELECT string_agg(phase, ',' ORDER BY id) FROM billing_accounts)"
    )


@pytest.mark.parametrize("change", [suspend, reactivate, archive])
@pytest.mark.parametrize(
    ("account", "reason", "at", "code"),
    [
        (10**12, "a reason", NOON, "not_found"),
        (None, "", NOON, "reason_required"),
        (None, "x\x00y and more", NOON, "reason_required"),
        (None, "x" * 2001, NOON, "reason_required"),
        (None, "a reason", NOON.replace(tzinfo=None), "time_invalid"),
        (None, "a reason", NOON.replace(year=1970), "time_invalid"),
    ],
)
def test_bad_input_is_refused_and_writes_nothing(
    cast: Cast, change: Act, account: int | None, reason: str, at: datetime, code: str
) -> None:
    before = written()
    with pytest.raises(DomainError) as refused:
        change(account or cast.prepaid.pk, actor=person(cast.dana), reason=reason, at=at)
    assert refused.value.code == code
    assert written() == before


def test_archiving_is_refused_by_every_guard_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "_guards", type(guards._guards)(list))
    guards.register("account.archive", lambda account, at: ["has_running_allocations"])
    guards.register("account.archive", lambda account, at: ["has_balance", "has_unsettled_usage"])
    before = written()
    with pytest.raises(Guarded) as refused:
        act(cast, archive)
    assert (refused.value.code, refused.value.status) == ("has_running_allocations", 409)
    assert refused.value.detail == "; ".join(
        guards.MESSAGES[code] for code in ("has_running_allocations", "has_balance", "has_unsettled_usage")
    )
    assert written() == before
    act(cast, suspend)  # nobody guards that


def test_a_suspended_account_binds_nothing_and_lets_go_of_nothing(cast: Cast) -> None:
    free = open_project(cast.acme, "Free", "free", at=NOON)
    act(cast, suspend)
    with pytest.raises(AccountNotReady):
        bind(free, cast.prepaid, actor=person(cast.dana), at=NOON)
    with pytest.raises(AccountNotReady):
        rebind(cast.postpaid_project, cast.prepaid, actor=person(cast.dana), at=LATER)
    assert cast.project.bindings.get(phase="Active").billing_account == cast.prepaid
    act(cast, archive)
    rebind(cast.project, cast.postpaid, actor=person(cast.dana), at=LATER)  # its project may still move away
    assert cast.project.bindings.get(phase="Active").billing_account == cast.postpaid


@pytest.mark.parametrize("phase", ["Ready", "Suspended", "Provisioning"])
def test_the_database_lets_nothing_leave_archived(cast: Cast, phase: str) -> None:
    act(cast, archive)
    with refused_by("billing_account_terms_are_fixed"):
        execute("UPDATE billing_accounts SET phase = %s WHERE id = %s", [phase, cast.prepaid.pk])
    with refused_by("42501"):
        execute("ALTER TABLE billing_accounts DISABLE TRIGGER billing_account_terms_are_fixed")
    assert fetch("SELECT phase FROM billing_accounts WHERE id = %s", [cast.prepaid.pk]) == [("Archived",)]


def test_each_change_says_where_it_leads() -> None:
    assert [change.guarded_as for change in (SUSPEND, REACTIVATE, ARCHIVE)] == [
        "account.suspend",
        "account.reactivate",
        "account.archive",
    ]
    assert ARCHIVE.leaves == {Phase.PROVISIONING, Phase.READY, Phase.SUSPENDED}
