"""The phase of a billing account: suspended, reactivated, archived. Archived is for ever.

Suspended: nothing starts and no project is bound; what runs goes on and is billed, and money may arrive. Archived:
nothing runs, nothing is owed, and no money is posted any more.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import enforcement, guards, topics
from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.conditions import set_condition
from accounts.errors import AccountNotReady, Conflict
from accounts.locking import lock_account
from accounts.models import BillingAccount, ConditionStatus, Level, Phase
from accounts.outbox import emit

SOURCE = "phase"  # of the enforcement reason


class WrongPhase(Conflict):
    code = "wrong_phase"
    field = "billing_account"


@dataclass(frozen=True)
class PhaseChange:
    """A change of phase: from which phases to which, the level it holds the account at, and what it is called."""

    verb: str
    topic: str
    leaves: frozenset[Phase]
    reaches: Phase
    level: Level | None

    @property
    def guarded_as(self) -> str:
        return f"account.{self.verb}"


SUSPEND = PhaseChange("suspend", topics.ACCOUNT_SUSPENDED, frozenset({Phase.READY}), Phase.SUSPENDED, Level.RESTRICTED)
REACTIVATE = PhaseChange("reactivate", topics.ACCOUNT_REACTIVATED, frozenset({Phase.SUSPENDED}), Phase.READY, None)
ARCHIVE = PhaseChange(
    "archive", topics.ACCOUNT_ARCHIVED, frozenset(Phase) - {Phase.ARCHIVED}, Phase.ARCHIVED, Level.HALTED
)


def suspend(account_id: int, *, actor: Actor, reason: str, at: datetime) -> BillingAccount:
    """Ready → Suspended. Raises NotFound, WrongPhase, ReasonRequired, TimeInvalid."""
    return change(account_id, SUSPEND, actor=actor, reason=reason, at=at)


def reactivate(account_id: int, *, actor: Actor, reason: str, at: datetime) -> BillingAccount:
    """Suspended → Ready. Raises NotFound, WrongPhase, ReasonRequired, TimeInvalid."""
    return change(account_id, REACTIVATE, actor=actor, reason=reason, at=at)


def archive(account_id: int, *, actor: Actor, reason: str, at: datetime) -> BillingAccount:
    """Any phase → Archived, for ever.

    Raises NotFound, WrongPhase, ReasonRequired, TimeInvalid, and Guarded while something runs, is owed or is not
    settled (`has_running_allocations`, `has_balance`, `has_unsettled_usage`).
    """
    return change(account_id, ARCHIVE, actor=actor, reason=reason, at=at)


@transaction.atomic
def change(account_id: int, wanted: PhaseChange, *, actor: Actor, reason: str, at: datetime) -> BillingAccount:
    """Move the account under its lock: phase, condition, enforcement reason, audit row and message together."""
    at, reason = check_moment(at), require_reason(reason)
    account = lock_account(account_id)
    check(account, wanted, at=at)
    before = account.phase
    account.phase = wanted.reaches
    account.save(update_fields=["phase"])
    _state_ready(account, at)
    if wanted.level:
        why = f"{wanted.reaches.lower()}: {reason}"
        enforcement.open_reason(account, SOURCE, wanted.level, why=why, at=at)
    else:
        enforcement.close_reason(account, SOURCE, at=at)
    record(
        actor,
        f"billing_account.{wanted.verb}",
        subject=("billing_account", account.pk),
        account=account,
        at=at,
        reason=reason,
        before={"phase": before},
        after={"phase": account.phase},
    )
    emit(wanted.topic, {"account": account.public_id, "phase": account.phase}, at=at, account=account)
    return account


def check(account: BillingAccount, wanted: PhaseChange, *, at: datetime) -> None:
    """Whether the account may be moved so. Raises WrongPhase, Guarded."""
    if account.phase not in wanted.leaves:
        detail = f"the account is {account.phase}"
        raise WrongPhase(f"{detail} and stays so" if account.phase == Phase.ARCHIVED else detail)
    guards.check(wanted.guarded_as, account=account, at=at)


def require_open(account: BillingAccount) -> None:
    """Money is posted to an account until it is archived. Raises AccountNotReady."""
    if account.phase == Phase.ARCHIVED:
        raise AccountNotReady("an archived account takes no money", field="billing_account")


def require_unarchived(account: BillingAccount) -> BillingAccount:
    """Terms and details are changed until an account is archived. Raises WrongPhase."""
    if account.phase == Phase.ARCHIVED:
        raise WrongPhase("the account is Archived and stays so")
    return account


def _state_ready(account: BillingAccount, at: datetime) -> None:
    if account.phase == Phase.READY:
        set_condition(account.pk, "Ready", status=ConditionStatus.TRUE, reason="BillingAccountReady", at=at)
        return
    set_condition(
        account.pk,
        "Ready",
        status=ConditionStatus.FALSE,
        reason="BillingAccountNotReady",
        message=f"The billing account is {account.phase.lower()}.",
        at=at,
    )
