"""What is closed or deleted stays so; nothing opens in it; where something runs or is owed, all stays as it was."""

from datetime import timedelta

import pytest

from accounts import guards, reactions
from accounts.account_deletion import delete_account
from accounts.audit import person
from accounts.billing_detail_changes import set_contact, set_tax_ids
from accounts.billing_details import NONE, Contact, details_of
from accounts.bindings import bind, rebind
from accounts.closing import close_organization, close_project
from accounts.errors import DomainError
from accounts.lifecycle import open_billing_account, open_project
from accounts.models import AuditLog, BillingAccount, Organization, OutboxMessage, Project
from ledger import accrual
from ledger.balances import balance
from ledger.verification import verify
from quotas.allocations import complete_release, start
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.concurrency.racing import failures, race, successes
from tests.funding import fund
from tests.ledger.raw_sql import execute, refused_by
from tests.row_counts import row_counts

MINUTE = timedelta(minutes=1)
LATER = NOON + 60 * MINUTE
HOW = {"actor": ACTOR, "reason": "the customer left", "at": LATER}


def refusal(act: object, *arguments: object, **how: object) -> str:
    """The code of what must be refused with nothing written."""
    before = row_counts()
    with pytest.raises(DomainError) as refused:
        act(*arguments, **(HOW | how))  # type: ignore[operator]
    assert row_counts() == before
    return refused.value.code


def test_a_closed_project_is_paid_by_nobody_and_stays_closed(cast: Cast) -> None:
    close_project(cast.project.pk, **HOW)
    project = Project.objects.get(pk=cast.project.pk)
    assert project.closed_at == LATER
    (binding,) = project.bindings.all()
    assert (binding.phase, binding.superseded_at) == ("Superseded", LATER)
    row = AuditLog.objects.get(action="project.close")
    assert (row.reason, row.billing_account, row.organization) == ("the customer left", cast.prepaid, cast.acme)
    assert refusal(close_project, project.pk) == "closed"
    assert refusal(bind, project, cast.prepaid) == "closed"
    assert refusal(rebind, project, cast.postpaid) == "not_bound"
    assert refusal(start, project, cast.gpu, quantity="1") == "not_bound"


def test_a_project_in_which_something_runs_or_waits_for_the_tick_is_not_closed(committed_db: str, cast: Cast) -> None:
    fund(cast.prepaid)
    running = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    assert refusal(close_project, cast.project.pk) == "has_running_allocations"
    complete_release(running.pk, completed_at=NOON + MINUTE, actor=ACTOR, at=NOON + MINUTE)
    assert refusal(close_project, cast.project.pk) == "has_unsettled_usage"
    accrual.drain(LATER)
    assert refusal(close_project, cast.project.pk, at=NOON) == "already_billed"
    spent = balance(cast.prepaid).amount_minor
    close_project(cast.project.pk, **HOW)
    accrual.drain(LATER + 60 * MINUTE)
    assert balance(cast.prepaid).amount_minor == spent
    assert verify(LATER, full=True).violations == []


def test_an_organization_is_closed_with_all_it_has_or_not_at_all(cast: Cast) -> None:
    running = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    with pytest.raises(DomainError, match=r"project Training \(prj_\w+\): allocations are still running") as refused:
        close_organization(cast.acme.pk, **HOW)
    assert refused.value.code == "has_running_allocations"
    complete_release(running.pk, completed_at=NOON + MINUTE, actor=ACTOR, at=NOON + MINUTE)
    accrual.drain(LATER)
    before = row_counts()
    with pytest.raises(DomainError, match=r"billing account Acme prepaid \(ba_\w+\): the balance is not zero"):
        close_organization(cast.acme.pk, **HOW)
    assert row_counts() == before
    assert cast.acme.projects.filter(closed_at=None).count() == 2  # the project closed first is open again


def test_a_closed_organization_takes_nothing_new_and_stays_closed(cast: Cast) -> None:
    close_organization(cast.acme.pk, **HOW)
    organization = Organization.objects.get(pk=cast.acme.pk)
    assert organization.closed_at == LATER
    assert set(organization.billing_accounts.values_list("phase", flat=True)) == {"Archived"}
    assert not organization.projects.filter(closed_at=None).exists()
    message = OutboxMessage.objects.get(topic="accounts.organization_closed")
    assert message.payload == {"organization": organization.public_id}
    assert refusal(close_organization, organization.pk) == "closed"
    assert refusal(open_project, organization, "New", "new") == "closed"
    terms = {"currency": "USD", "settlement": "prepaid"}
    assert refusal(open_billing_account, organization, cast.entity, "New", **terms) == "closed"
    assert refusal(close_organization, 10**12) == "not_found"
    assert refusal(close_project, 10**12) == "not_found"


def test_rooms_to_the_right_object_and_follow(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = ["open_disputes"]
    followed: list[Organization] = []
    monkeypatch.setitem(guards._guards, "organization.close", [lambda **_: said])
    monkeypatch.setitem(
        reactions._reactions, "organization.closed", [lambda organization, at: followed.append(organization)]
    )
    assert refusal(close_organization, cast.strangers.pk) == "open_disputes"
    assert followed == []
    said.clear()
    close_organization(cast.strangers.pk, **HOW)
    assert followed == [cast.strangers]


def test_a_deleted_account_is_archived_forgotten_and_kept(cast: Cast) -> None:
    set_contact(cast.foreign.pk, Contact("charlie@else.example", "Charlie"), actor=ACTOR, at=NOON)
    set_tax_ids(cast.foreign.pk, [("gb_vat", "GB1")], actor=ACTOR, at=NOON)
    delete_account(cast.foreign.pk, **HOW)
    account = BillingAccount.objects.get(pk=cast.foreign.pk)
    assert (account.phase, account.deleted_at) == ("Archived", LATER)
    assert details_of(account) == NONE
    audited = AuditLog.objects.filter(billing_account=account, at=LATER).order_by("pk")
    assert [row.action for row in audited] == ["billing_account.archive", "billing_account.delete"]
    assert refusal(delete_account, account.pk) == "already_deleted"
    topics = OutboxMessage.objects.filter(billing_account=account).order_by("seq").values_list("topic", flat=True)
    assert list(topics)[-2:] == ["accounts.account_archived", "accounts.account_deleted"]


def test_an_account_that_holds_money_is_not_deleted(cast: Cast) -> None:
    fund(cast.foreign)
    assert refusal(delete_account, cast.foreign.pk) == "has_balance"
    assert refusal(delete_account, 10**12) == "not_found"
    assert refusal(delete_account, cast.foreign.pk, reason="x") == "reason_required"


def test_the_database_keeps_closed_what_is_closed(cast: Cast) -> None:
    with refused_by("only_archived_accounts_are_deleted"):
        execute("UPDATE billing_accounts SET deleted_at = now() WHERE id = %s", [cast.prepaid.pk])
    delete_account(cast.foreign.pk, **HOW)
    close_organization(cast.acme.pk, **HOW)
    for rule, table, column, key in (
        ("organizations_close_for_ever", "organizations", "closed_at", cast.acme.pk),
        ("projects_close_for_ever", "projects", "closed_at", cast.project.pk),
        ("billing_accounts_delete_for_ever", "billing_accounts", "deleted_at", cast.foreign.pk),
    ):
        for value in ("NULL", "now()"):
            with refused_by(rule):
                execute(f"UPDATE {table} SET {column} = {value} WHERE id = %s", [key])
    inserts = (
        (
            "INSERT INTO projects (organization_id, name, slug, created_at) VALUES (%s, 'New', 'new', now())",
            [cast.acme.pk],
        ),
        (
            "INSERT INTO billing_accounts (organization_id, legal_entity_id, name, currency, settlement, phase,"
            " created_at) VALUES (%s, %s, 'New', 'USD', 'prepaid', 'Ready', now())",
            [cast.acme.pk, cast.entity.pk],
        ),
        (
            "INSERT INTO billing_account_bindings (organization_id, project_id, billing_account_id, phase,"
            " established_at) VALUES (%s, %s, %s, 'Active', %s)",
            [cast.acme.pk, cast.project.pk, cast.prepaid.pk, LATER],
        ),
    )
    for statement, values in inserts:
        with refused_by("nothing_opens_in_what_is_closed"):
            execute(statement, values)


def test_no_project_that_is_closed_is_bound_again_even_in_an_open_organization(cast: Cast) -> None:
    close_project(cast.project.pk, **HOW)
    with refused_by("nothing_opens_in_what_is_closed"):
        execute(
            "INSERT INTO billing_account_bindings (organization_id, project_id, billing_account_id, phase,"
            " established_at) VALUES (%s, %s, %s, 'Active', %s)",
            [cast.acme.pk, cast.project.pk, cast.prepaid.pk, LATER],
        )


@pytest.mark.parametrize("other", ["bind", "project", "start"])
def test_what_comes_beside_a_closing_comes_before_it_or_not_at_all(committed_db: str, cast: Cast, other: str) -> None:
    free = open_project(cast.acme, "Free", "free", at=BEGINNING)
    acts = {
        "bind": lambda: bind(free, cast.prepaid, actor=ACTOR, at=NOON),
        "project": lambda: open_project(cast.acme, "Late", "late", actor=ACTOR, at=NOON),
        "start": lambda: start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON),
    }

    def close() -> Organization:
        return close_organization(cast.acme.pk, actor=person(cast.dana), reason="they left", at=LATER)

    results = race(close, acts[other])
    assert all(isinstance(fault, DomainError) for fault in failures(results)), results
    closed = Organization.objects.get(pk=cast.acme.pk).closed_at is not None
    open_projects = cast.acme.projects.filter(closed_at=None).count()
    open_accounts = cast.acme.billing_accounts.exclude(phase="Archived").count()
    assert closed == (open_projects == open_accounts == 0)
    assert closed != cast.acme.projects.filter(bindings__phase="Active").exists()
    assert successes(results)
