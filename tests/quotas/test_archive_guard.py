"""An account is not archived while something runs that it pays for, or once paid for."""

from datetime import timedelta

import pytest

from accounts.account_phases import archive
from accounts.audit import person
from accounts.bindings import rebind
from accounts.errors import AccountNotReady, Guarded
from accounts.models import BillingAccount, Phase
from quotas.allocations import activate, complete_release, request, request_release, start
from quotas.archive_guard import nothing_runs
from quotas.models import Allocation
from tests.cast import ACTOR, NOON, Cast

LATER = NOON + timedelta(hours=1)


def codes(account: BillingAccount) -> list[str]:
    return nothing_runs(account=account, at=LATER)


def test_what_is_requested_active_or_releasing_holds_the_account_open(cast: Cast) -> None:
    allocation = request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    assert codes(cast.prepaid) == ["has_running_allocations"]
    activate(allocation.pk, actor=ACTOR, at=NOON)
    assert codes(cast.prepaid) == ["has_running_allocations"]
    request_release(allocation.pk, actor=ACTOR, at=NOON)
    assert codes(cast.prepaid) == ["has_running_allocations"]
    assert codes(cast.postpaid) == codes(cast.foreign) == []
    complete_release(allocation.pk, completed_at=NOON, actor=ACTOR, at=NOON)
    assert codes(cast.prepaid) == []


def test_the_act_is_refused_with_the_guard_s_code(cast: Cast) -> None:
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    with pytest.raises(Guarded) as refused:
        archive(cast.prepaid.pk, actor=person(cast.dana), reason="closed", at=LATER)
    assert refused.value.code == "has_running_allocations"
    assert BillingAccount.objects.get(pk=cast.prepaid.pk).phase == Phase.READY


def test_what_moved_away_counts_until_it_is_released(cast: Cast) -> None:
    """Reported late, it may still bring money back to the account that paid at first."""
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    rebind(cast.project, cast.postpaid, actor=ACTOR, at=LATER)
    assert codes(cast.prepaid) == codes(cast.postpaid) == ["has_running_allocations"]
    complete_release(allocation.pk, completed_at=LATER, actor=ACTOR, at=LATER)
    assert codes(cast.prepaid) == codes(cast.postpaid) == []


def test_what_began_after_the_move_never_concerned_the_old_account(cast: Cast) -> None:
    rebind(cast.project, cast.postpaid, actor=ACTOR, at=NOON)
    request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    assert codes(cast.prepaid) == []
    assert codes(cast.postpaid) == ["has_running_allocations"]


def test_an_archived_account_takes_no_request_and_no_start(cast: Cast) -> None:
    archive(cast.prepaid.pk, actor=person(cast.dana), reason="closed", at=NOON)
    for begin in (request, start):
        with pytest.raises(AccountNotReady) as refused:
            begin(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=LATER)
        assert (refused.value.code, refused.value.status) == ("account_not_ready", 409)
    assert not Allocation.objects.exists()
