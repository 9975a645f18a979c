"""An account is archived, or it takes the act that came at the same moment; never both."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts.account_phases import archive, reactivate, suspend
from accounts.audit import person
from accounts.bindings import bind
from accounts.errors import DomainError
from accounts.lifecycle import open_project
from accounts.locking import lock_account
from accounts.models import AuditLog, BillingAccount, BillingAccountBinding, EnforcementReason
from ledger.balances import balance
from ledger.top_ups import post_transfer
from quotas.allocations import request, start
from quotas.models import Allocation
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race_for, successes


def transfer(cast: Cast) -> object:
    with transaction.atomic():
        account = lock_account(cast.prepaid.pk)
        return post_transfer(account, amount_minor=500, bank_reference="REF 1", actor=ACTOR, at=NOON)


def binding(cast: Cast) -> object:
    project = open_project(cast.acme, "Late", "late", at=NOON)
    return bind(project, cast.prepaid, actor=ACTOR, at=NOON)


ACTS: dict[str, Callable[[Cast], object]] = {
    "start": lambda cast: start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON),
    "request": lambda cast: request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON),
    "transfer": transfer,
    "bind": binding,
}


@pytest.mark.parametrize("name", ACTS)
def test_an_act_beside_archiving(committed_db: str, cast: Cast, name: str) -> None:
    def close() -> Any:
        return archive(cast.prepaid.pk, actor=person(cast.dana), reason="closed", at=NOON)

    results = race_for(cast.prepaid.pk, close, lambda: ACTS[name](cast))
    closed = BillingAccount.objects.get(pk=cast.prepaid.pk).phase == "Archived"
    assert all(isinstance(fault, DomainError) for fault in failures(results)), results
    holds = Allocation.objects.exists() or balance(cast.prepaid).amount_minor != 0
    assert not (closed and holds)
    if name == "bind":  # what was bound first stays bound: archiving does not ask for that
        assert closed
        assert BillingAccountBinding.objects.filter(project__slug="late").count() == len(successes(results)) - 1
    else:
        assert len(successes(results)) == 1


@pytest.mark.parametrize("first", ["suspend", "reactivate"])
def test_of_two_equal_changes_of_phase_one_has_an_effect(committed_db: str, cast: Cast, first: str) -> None:
    act = suspend if first == "suspend" else reactivate
    if first == "reactivate":
        suspend(cast.prepaid.pk, actor=person(cast.dana), reason="unpaid", at=NOON)

    def change() -> Any:
        return act(cast.prepaid.pk, actor=person(cast.dana), reason="twice", at=NOON)

    results = race_for(cast.prepaid.pk, *[change] * 4)
    assert len(successes(results)) == 1
    assert {getattr(fault, "code", "") for fault in failures(results)} == {"wrong_phase"}
    assert AuditLog.objects.filter(action=f"billing_account.{first}").count() == 1
    assert EnforcementReason.objects.filter(source="phase", closed_at=None).count() == (1 if first == "suspend" else 0)
