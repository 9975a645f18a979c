"""Opposite moves between two accounts wait for each other in one order and never dead-lock."""

from datetime import timedelta

from django.db import OperationalError

from accounts.audit import person
from accounts.bindings import rebind
from accounts.models import BillingAccount, BillingAccountBinding, Project
from ledger import corrections, verification
from ledger.balances import balance
from ledger.errors import AlreadyPosted
from ledger.top_ups import post_top_up
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race, race_for
from tests.funding import PLENTY, fund

ROUNDS = 8
SECOND = timedelta(seconds=1)


def to_and_fro(project: Project, first: BillingAccount, second: BillingAccount) -> int:
    """Move a project between two accounts, again and again."""
    for step in range(ROUNDS):
        target = first if step % 2 == 0 else second
        rebind(project, target, actor=ACTOR, at=NOON + step * SECOND)
    return ROUNDS


def test_two_projects_that_change_places_do_not_dead_lock(committed_db: str, cast: Cast) -> None:
    """One holds the prepaid account and wants the postpaid one, the other the other way round."""
    results = race_for(
        cast.prepaid.pk,
        lambda: to_and_fro(cast.project, cast.postpaid, cast.prepaid),
        lambda: to_and_fro(cast.postpaid_project, cast.prepaid, cast.postpaid),
    )
    assert results == [ROUNDS, ROUNDS]
    for project in (cast.project, cast.postpaid_project):
        rows = list(BillingAccountBinding.objects.filter(project=project).order_by("id"))
        assert len(rows) == ROUNDS + 1
        assert [row.established_at for row in rows[1:]] == [row.superseded_at for row in rows[:-1]]


def test_opposite_corrections_beside_rebinds_all_come_through(committed_db: str, cast: Cast) -> None:
    fund(cast.prepaid)
    originals: list[list[int]] = [[], []]
    for place, account in enumerate((cast.prepaid, cast.postpaid)):
        for session in range(ROUNDS):
            posted = post_top_up(
                account, amount_minor=100, provider=f"p{place}", session_id=10 * place + session, actor=ACTOR, at=NOON
            )
            originals[place].append(posted.transaction_id)

    def correct_all(first: int, second: int) -> int:
        pairs = zip(originals[first], reversed(originals[second]), strict=True)
        done = 0
        for pair in pairs:
            for number in pair:
                try:
                    corrections.correct({"transaction": number}, actor=person(cast.dana), reason="wrong", at=NOON)
                    done += 1
                except AlreadyPosted:
                    continue
        return done

    results = race(
        lambda: correct_all(0, 1),
        lambda: correct_all(1, 0),
        lambda: to_and_fro(cast.project, cast.postpaid, cast.prepaid),
        lambda: to_and_fro(cast.postpaid_project, cast.prepaid, cast.postpaid),
    )
    assert [error for error in failures(results) if isinstance(error, OperationalError)] == []
    assert failures(results) == []
    assert results[0] + results[1] == 2 * ROUNDS
    assert (balance(cast.prepaid).amount_minor, balance(cast.postpaid).amount_minor) == (PLENTY, 0)
    assert verification.verify(NOON, full=True).violations == []
