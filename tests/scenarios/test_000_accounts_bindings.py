"""Seed 000, rows 09 to 14: which account pays for a project, by the pages staff use and what the database holds."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.account_phases import suspend
from accounts.bindings import bind, linked_projects, rebind
from accounts.errors import DomainError
from accounts.lifecycle import open_billing_account, open_project
from accounts.models import AuditLog, BillingAccount, BillingAccountBinding, Project
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.concurrency.racing import failures, race, race_for, successes
from tests.ledger.raw_sql import NO_PRIVILEGE, execute, refused_by
from tests.row_counts import row_counts
from tests.scenarios.acting import act

REASON = {"reason": "they asked"}


@pytest.fixture
def dana(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.dana)
    return client


def project_page(word: str, project: Project) -> str:
    return reverse(f"admin:accounts_project_{word}", args=[project.pk])


def account_page(word: str, account: BillingAccount) -> str:
    return reverse(f"admin:accounts_billingaccount_{word}", args=[account.pk])


def to(account: BillingAccount) -> dict[str, str]:
    return {"billing_account": account.public_id, **REASON}


def another(cast: Cast) -> BillingAccount:
    return open_billing_account(
        cast.acme, cast.entity, "Another", currency="USD", settlement="prepaid", actor=ACTOR, at=BEGINNING
    )


def fresh(account: BillingAccount) -> BillingAccount:
    return BillingAccount.objects.get(pk=account.pk)


def test_000_09_delete_is_blocked_by_an_active_binding(cast: Cast, dana: Client) -> None:
    account = cast.prepaid
    before = row_counts()
    refused = act(dana, account_page("remove", account), REASON)
    assert refused.status_code == 409
    assert f"active bindings: Training ({cast.project.public_id})" in refused.text
    assert "(has_active_bindings)" in refused.text
    assert row_counts() == before

    act(dana, project_page("rebind", cast.project), to(cast.postpaid))
    assert "is deleted." in act(dana, account_page("remove", account), REASON).text
    gone = fresh(account)
    assert gone.phase == "Archived"
    assert gone.deleted_at is not None
    assert BillingAccountBinding.objects.filter(billing_account=account).count() == 1  # its past is kept
    assert "(already_deleted)" in act(dana, account_page("remove", account), REASON).text


def test_000_10_a_project_is_bound_to_a_ready_account_only(cast: Cast, dana: Client) -> None:
    project = open_project(cast.acme, "Free", "free", at=BEGINNING)
    suspend(cast.postpaid.pk, actor=ACTOR, reason="unpaid", at=NOON)
    before = row_counts()
    refused = act(dana, project_page("bind", project), to(cast.postpaid))
    assert refused.status_code == 409
    assert "Billing account is not ready (current phase: Suspended)" in refused.text
    assert act(dana, project_page("rebind", cast.project), to(cast.postpaid)).status_code == 409
    foreign, unknown = (act(dana, project_page("bind", project), form) for form in (to(cast.foreign), NOWHERE))
    assert (foreign.status_code, unknown.status_code) == (422, 422)
    assert "No such billing account (not_found)" in foreign.text
    assert "No such billing account (not_found)" in unknown.text
    assert row_counts() == before
    assert "pays from now on" in act(dana, project_page("bind", project), to(cast.prepaid)).text


NOWHERE = {"billing_account": "ba_00000000zzzzz", **REASON}


def test_000_11_a_second_active_binding_is_refused(cast: Cast, dana: Client) -> None:
    before = row_counts()
    refused = act(dana, project_page("bind", cast.project), to(cast.postpaid))
    assert refused.status_code == 409
    assert "(already_bound)" in refused.text
    assert row_counts() == before
    assert cast.project.bindings.filter(phase="Active").count() == 1


def test_000_12_a_rebind_supersedes_at_once_and_keeps_the_past(cast: Cast, dana: Client) -> None:
    other = another(cast)
    assert "Another pays from now on." in act(dana, project_page("rebind", cast.project), to(other)).text
    old, new = cast.project.bindings.order_by("established_at")
    assert (old.billing_account, old.phase, new.billing_account, new.phase) == (
        *(cast.prepaid, "Superseded"),
        *(other, "Active"),
    )
    assert old.superseded_at == new.established_at
    shown = dana.get(project_page("change", cast.project)).text
    assert shown.index("Another") < shown.index("Acme prepaid")
    rows = AuditLog.objects.filter(subject_type="project", subject_id=cast.project.pk, actor=cast.dana)
    assert {(row.action, row.billing_account, row.reason) for row in rows} == {
        ("project.rebind", other, "they asked"),
        ("project.leave", cast.prepaid, "they asked"),
    }


def test_000_13_a_binding_is_immutable(cast: Cast) -> None:
    for change in (
        f"billing_account_id = {cast.postpaid.pk}",
        f"project_id = {cast.postpaid_project.pk}",
        "established_at = now()",
    ):
        with refused_by("bindings_change_once"):
            execute(f"UPDATE billing_account_bindings SET {change} WHERE project_id = %s", [cast.project.pk])
    with refused_by(NO_PRIVILEGE):
        execute("DELETE FROM billing_account_bindings WHERE project_id = %s", [cast.project.pk])


def test_000_14_linked_projects_count_tracks_bindings(cast: Cast, dana: Client) -> None:
    other = another(cast)

    def counted(account: BillingAccount) -> tuple[int, int]:
        """By the page, and by the list."""
        page = dana.get(account_page("change", account))
        rows = dana.get(reverse("admin:accounts_billingaccount_changelist")).context["cl"].result_list
        return page.context["linked_projects_count"], next(row.shown_projects for row in rows if row.pk == account.pk)

    assert (counted(cast.prepaid), counted(other)) == ((1, 1), (0, 0))
    project = open_project(cast.acme, "Free", "free", at=BEGINNING)
    act(dana, project_page("bind", project), to(other))
    assert counted(other) == (1, 1)
    act(dana, project_page("rebind", cast.project), to(other))
    assert (counted(cast.prepaid), counted(other)) == ((0, 0), (2, 2))
    act(dana, project_page("close", project), REASON)
    assert counted(other) == (1, 1)
    assert linked_projects([cast.prepaid.pk, other.pk]) == {other.pk: 1}


def test_of_two_bindings_at_one_moment_one_wins_and_nothing_is_half_written(committed_db: str, cast: Cast) -> None:
    project = open_project(cast.acme, "Free", "free", at=BEGINNING)

    def by(account: BillingAccount) -> Any:
        return lambda: bind(project, account, actor=ACTOR, reason="a race", at=NOON)

    results = race(by(cast.prepaid), by(cast.postpaid))
    (won,) = successes(results)
    (lost,) = failures(results)
    assert isinstance(lost, DomainError)
    assert (lost.code, lost.status) == ("already_bound", 409)
    assert list(project.bindings.all()) == [won]
    audited = AuditLog.objects.filter(action="project.bind", subject_id=project.pk)
    assert [row.billing_account for row in audited] == [won.billing_account]


def test_of_two_rebinds_at_one_moment_one_wins_and_nothing_is_half_written(committed_db: str, cast: Cast) -> None:
    others = [another(cast), cast.postpaid]

    def by(account: BillingAccount) -> Any:
        return lambda: rebind(cast.project, account, actor=ACTOR, reason="a race", at=NOON)

    results = race_for(cast.prepaid.pk, *(by(account) for account in others))
    (won,) = successes(results)
    (lost,) = failures(results)
    assert isinstance(lost, DomainError)
    assert (lost.code, lost.status) == ("not_bound", 409)
    rows = cast.project.bindings.order_by("pk")
    assert [(row.billing_account, row.phase) for row in rows] == [
        (cast.prepaid, "Superseded"),
        (won.billing_account, "Active"),
    ]
    assert AuditLog.objects.filter(action__in=["project.rebind", "project.leave"]).count() == 2
