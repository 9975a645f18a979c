"""Which account pays for a project: one at a time, without a gap, never in the past that is billed."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.bindings import active_binding, bind, rebind
from accounts.errors import AccountNotReady, Conflict, DomainError, Guarded, NotFound, TimeInvalid
from accounts.lifecycle import open_billing_account, open_project
from accounts.models import AuditLog, BillingAccount, BillingAccountBinding, Phase, Project
from ledger import accrual
from ledger.balances import balance
from quotas.allocations import start
from quotas.price_book import set_rate
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.concurrency.racing import failures, race, successes
from tests.ledger.raw_sql import NO_PRIVILEGE, execute, refused_by

MINUTE = timedelta(minutes=1)


def account(cast: Cast, currency: str = "USD") -> BillingAccount:
    return open_billing_account(
        cast.acme, cast.entity, f"Other {currency}", currency=currency, settlement="prepaid", actor=ACTOR, at=BEGINNING
    )


def unbound(cast: Cast) -> Project:
    return open_project(cast.acme, "Free", "free", at=BEGINNING)


def refusal(error: type[DomainError], act: object, *arguments: object) -> DomainError:
    with pytest.raises(error) as refused:
        act(*arguments, actor=ACTOR, at=NOON)  # type: ignore[operator]
    return refused.value


def test_a_bound_project_pays_from_its_account(cast: Cast) -> None:
    binding = active_binding(cast.project)
    assert binding is not None
    assert (binding.billing_account, binding.established_at) == (cast.prepaid, BEGINNING)
    assert AuditLog.objects.filter(action="project.bind", subject_id=cast.project.pk).count() == 1


def test_a_project_is_bound_once(cast: Cast) -> None:
    assert refusal(Conflict, bind, cast.project, cast.postpaid).code == "already_bound"
    assert BillingAccountBinding.objects.filter(project=cast.project).count() == 1


def test_an_account_of_another_organization_answers_as_if_it_did_not_exist(cast: Cast) -> None:
    foreign = refusal(NotFound, bind, unbound(cast), cast.foreign)
    unknown = refusal(NotFound, bind, unbound_again(cast), BillingAccount(pk=10**12))
    assert (foreign.code, foreign.detail, foreign.field) == (unknown.code, unknown.detail, unknown.field)
    assert refusal(NotFound, rebind, cast.project, cast.foreign).code == "not_found"


def unbound_again(cast: Cast) -> Project:
    return open_project(cast.acme, "Free 2", "free-2", at=BEGINNING)


@pytest.mark.parametrize("phase", [Phase.SUSPENDED, Phase.ARCHIVED])
def test_an_account_that_is_not_ready_pays_for_nothing(cast: Cast, phase: Phase) -> None:
    cast.postpaid.phase = phase
    cast.postpaid.save()
    assert refusal(AccountNotReady, bind, unbound(cast), cast.postpaid).status == 409
    assert refusal(AccountNotReady, rebind, cast.project, cast.postpaid).code == "account_not_ready"


@pytest.mark.parametrize(
    "at", [NOON.replace(tzinfo=None), datetime(9999, 12, 31, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC)]
)
def test_a_moment_without_zone_or_out_of_range_is_refused(cast: Cast, at: datetime) -> None:
    for act in (bind, rebind):
        with pytest.raises(TimeInvalid):
            act(cast.project, cast.postpaid, actor=ACTOR, at=at)


def test_a_rebind_supersedes_and_follows_without_a_gap(cast: Cast) -> None:
    other = account(cast)
    rebind(cast.project, other, actor=ACTOR, at=NOON)
    rows = BillingAccountBinding.objects.filter(project=cast.project).order_by("established_at")
    assert [(row.billing_account_id, row.phase, row.established_at, row.superseded_at) for row in rows] == [
        (cast.prepaid.pk, "Superseded", BEGINNING, NOON),
        (other.pk, "Active", NOON, None),
    ]


def test_usage_before_a_rebind_stays_with_the_old_account(cast: Cast) -> None:
    other = account(cast)
    start(cast.project, cast.gpu, quantity="60", actor=ACTOR, at=NOON)
    accrual.drain(NOON + MINUTE)
    rebind(cast.project, other, actor=ACTOR, at=NOON + 90 * timedelta(seconds=1))
    accrual.drain(NOON + 3 * MINUTE)
    accrual.drain(NOON + 4 * MINUTE)  # the new account follows once the old one has billed its part
    assert balance(cast.prepaid).amount_minor == -375  # 90 seconds at 2.50 a minute
    assert balance(other).amount_minor == -625


def test_a_rebind_into_billed_usage_is_refused_and_changes_nothing(cast: Cast) -> None:
    other = account(cast)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 2 * MINUTE)
    with pytest.raises(Conflict) as refused:
        rebind(cast.project, other, actor=ACTOR, at=NOON + MINUTE)
    assert (refused.value.code, refused.value.field) == ("already_billed", "at")
    binding = active_binding(cast.project)
    assert binding is not None
    assert binding.billing_account == cast.prepaid
    rebind(cast.project, other, actor=ACTOR, at=NOON + 2 * MINUTE)


def test_a_rebind_before_the_binding_began_is_refused(cast: Cast) -> None:
    with pytest.raises(Conflict) as refused:
        rebind(cast.project, account(cast), actor=ACTOR, at=BEGINNING - MINUTE)
    assert refused.value.code == "already_billed"


def test_an_unbound_project_cannot_be_rebound(cast: Cast) -> None:
    assert refusal(Conflict, rebind, unbound(cast), cast.prepaid).code == "not_bound"


def test_a_project_with_running_machines_moves_only_where_they_have_a_price(cast: Cast) -> None:
    euros = account(cast, "EUR")
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    assert refusal(Guarded, rebind, cast.project, euros).code == "no_rate"
    set_rate(cast.gpu, currency="EUR", rate_per_unit_hour="2", effective_from=NOON, actor=ACTOR, at=NOON)
    assert rebind(cast.project, euros, actor=ACTOR, at=NOON).billing_account == euros


@pytest.mark.parametrize(
    "change",
    [
        "established_at = established_at - interval '1 day'",
        "billing_account_id = {postpaid}",
        "superseded_at = now()",
        "phase = 'Superseded', superseded_at = now(), billing_account_id = {postpaid}",
    ],
)
def test_a_binding_is_not_edited(cast: Cast, change: str) -> None:
    with refused_by("bindings_change_once"):
        execute(
            f"UPDATE billing_account_bindings SET {change.format(postpaid=cast.postpaid.pk)} WHERE project_id = %s",
            [cast.project.pk],
        )


def test_a_superseded_binding_is_not_reopened_nor_moved(cast: Cast) -> None:
    rebind(cast.project, account(cast), actor=ACTOR, at=NOON)
    for change in ("phase = 'Active', superseded_at = NULL", "superseded_at = superseded_at + interval '1 hour'"):
        with refused_by("bindings_change_once"):
            execute(
                f"UPDATE billing_account_bindings SET {change} WHERE project_id = %s AND phase = 'Superseded'",
                [cast.project.pk],
            )
    with refused_by(NO_PRIVILEGE):
        execute("DELETE FROM billing_account_bindings")


def test_a_binding_is_superseded_at_a_moment_and_not_before_it_began(cast: Cast) -> None:
    for end in ("NULL", "established_at - interval '1 second'"):
        with refused_by("bindings_superseded_has_its_time"):
            execute(
                f"UPDATE billing_account_bindings SET phase = 'Superseded', superseded_at = {end}"
                " WHERE project_id = %s",
                [cast.project.pk],
            )


def insert(cast: Cast, project: Project, payer: BillingAccount, first: str, last: str | None = None) -> None:
    execute(
        "INSERT INTO billing_account_bindings"
        " (organization_id, project_id, billing_account_id, phase, established_at, superseded_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [cast.acme.pk, project.pk, payer.pk, "Superseded" if last else "Active", first, last],
    )


def test_a_second_active_binding_is_refused_by_the_database(cast: Cast) -> None:
    with refused_by("one_active_binding_per_project"):
        insert(cast, cast.project, cast.postpaid, "2026-03-01T00:00:00Z")


def test_a_gap_or_an_overlap_between_bindings_is_refused_by_the_database(cast: Cast) -> None:
    rebind(cast.project, account(cast), actor=ACTOR, at=NOON)
    execute(
        "UPDATE billing_account_bindings SET phase = 'Superseded', superseded_at = %s"
        " WHERE project_id = %s AND phase = 'Active'",
        [NOON + MINUTE, cast.project.pk],
    )
    for first in (NOON, NOON + 2 * MINUTE):
        with refused_by("bindings_follow_each_other"):
            insert(cast, cast.project, cast.postpaid, first.isoformat())
    insert(cast, cast.project, cast.postpaid, (NOON + MINUTE).isoformat())


def test_a_binding_is_born_active(cast: Cast) -> None:
    with refused_by("bindings_follow_each_other"):
        insert(cast, cast.project, cast.postpaid, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z")
    with refused_by("bindings_follow_each_other"):
        insert(cast, unbound(cast), cast.postpaid, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z")


def test_a_binding_joins_a_project_and_an_account_of_one_organization(cast: Cast) -> None:
    with refused_by("binding_account_of_the_organization"):
        insert(cast, unbound(cast), cast.foreign, "2026-02-01T00:00:00Z")
    theirs = open_project(cast.strangers, "Theirs", "theirs", at=BEGINNING)
    with refused_by("binding_project_of_the_organization"):
        insert(cast, theirs, cast.prepaid, "2026-02-01T00:00:00Z")


def test_billed_usage_stands_against_a_rebind_by_plain_sql(cast: Cast) -> None:
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 2 * MINUTE)
    with refused_by("billed_usage_stands"):
        execute(
            "UPDATE billing_account_bindings SET phase = 'Superseded', superseded_at = %s WHERE project_id = %s",
            [NOON + MINUTE, cast.project.pk],
        )


def test_of_many_who_bind_at_once_one_succeeds(committed_db: str, cast: Cast) -> None:
    project = unbound(cast)
    payers = [cast.prepaid, cast.postpaid] * 3
    results = race(*(lambda payer=payer: bind(project, payer, actor=ACTOR, at=NOON) for payer in payers))
    assert len(successes(results)) == 1
    assert [getattr(error, "code", repr(error)) for error in failures(results)] == ["already_bound"] * 5


def test_of_many_who_rebind_at_once_the_bindings_still_follow_each_other(committed_db: str, cast: Cast) -> None:
    others = [cast.postpaid, account(cast)]
    acts = [lambda payer=payer: rebind(cast.project, payer, actor=ACTOR, at=NOON) for payer in others * 3]
    results = race(*acts)
    assert {getattr(error, "code", repr(error)) for error in failures(results)} <= {"not_bound", "already_bound"}
    assert successes(results)
    rows = list(BillingAccountBinding.objects.filter(project=cast.project).order_by("id"))
    assert len(rows) == 1 + len(successes(results))
    assert [row.established_at for row in rows[1:]] == [row.superseded_at for row in rows[:-1]]
    assert [row.phase for row in rows].count("Active") == 1
