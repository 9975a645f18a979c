"""Commitments of accounts: an amount over a term of months. Each month draws once, in turn; the last one trues up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.currencies import parse_positive_minor
from accounts.errors import Conflict, NotFound
from accounts.locking import lock_account
from accounts.models import BillingAccount
from quotas.billing_periods import Anchor, Interval, Period, period
from quotas.discount_uses import record_uses
from quotas.errors import CommitmentInvalid
from quotas.models import AccountCommitment, CommitmentDraw, Meter
from quotas.pricing.commitments import Commitment, Drawdown, draw
from quotas.pricing.exact import exactly
from quotas.usage_quotes import price_usage

MOST_MONTHS = 120
UTC_ZONE = ZoneInfo("UTC")


@transaction.atomic
def grant_commitment(
    account_id: int,
    meter: Meter,
    *,
    amount_minor: object,
    months: int,
    starts_at: datetime,
    in_advance: bool,
    actor: Actor,
    reason: str,
    at: datetime,
) -> AccountCommitment:
    """Write down what an account promised to use of a metric, minor units of its currency, months in UTC.

    Raises NotFound, AmountInvalid, CommitmentInvalid (`term_invalid`), Conflict (`terms_overlap`), ReasonRequired.
    """
    at, reason = check_moment(at), require_reason(reason)
    account = lock_account(account_id)
    promised = parse_positive_minor(amount_minor)
    if not 0 < months <= MOST_MONTHS:
        raise CommitmentInvalid(f"a term is 1 to {MOST_MONTHS} months", field="months", code="term_invalid")
    starts_at = check_moment(starts_at, field="starts_at")
    ends_at = check_moment(period(Anchor.at(starts_at, UTC_ZONE), Interval.MONTH, months - 1).end, field="months")
    same = AccountCommitment.objects.filter(billing_account=account, meter=meter)
    if same.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        raise Conflict("another commitment covers part of that term", field="starts_at", code="terms_overlap")
    commitment = AccountCommitment.objects.create(
        billing_account=account,
        meter=meter,
        amount_minor=promised,
        currency=account.currency,
        in_advance=in_advance,
        months=months,
        starts_at=starts_at,
        ends_at=ends_at,
        granted_at=at,
    )
    after = {
        "metric": meter.name,
        "amount_minor": promised,
        "months": months,
        "starts_at": starts_at.isoformat(),
        "in_advance": in_advance,
    }
    _audit("commitment.grant", commitment, account, actor, reason, at, after)
    return commitment


@transaction.atomic
def draw_month(commitment_id: int, quantity: Decimal, *, actor: Actor, reason: str, at: datetime) -> CommitmentDraw:
    """Let the next month of the term draw: its usage is priced as of its last moment, in whole minor units.

    Raises NotFound, Conflict (`term_over`, `month_not_over`, and what price_usage raises), ReasonRequired.
    """
    at, reason = check_moment(at), require_reason(reason)
    commitment = _found(commitment_id)
    account = lock_account(commitment.billing_account_id)
    stand = standing(commitment)
    if stand.next_month is None:
        raise Conflict("every month of the term has drawn", field="commitment", code="term_over")
    ends_at = month_of(commitment, stand.next_month).end
    if at < ends_at:
        raise Conflict(f"month {stand.next_month} ends at {ends_at:%Y-%m-%d %H:%M} UTC", code="month_not_over")
    answer = price_usage(account, commitment.meter.name, quantity, at=ends_at - timedelta(microseconds=1))
    priced = answer.quote
    drawdown = _drawdown(commitment, priced.amount, stand)
    covered = drawdown.drawn_now_minor if commitment.in_advance else 0
    drawn = CommitmentDraw.objects.create(
        commitment=commitment,
        billing_account=account,
        month=stand.next_month,
        used_minor=priced.amount_minor,
        drawn_minor=drawdown.drawn_now_minor,
        true_up_minor=drawdown.true_up_minor,
        billed_minor=priced.amount_minor + drawdown.true_up_minor - covered,
        currency=commitment.currency,
        drawn_at=at,
    )
    record_uses(
        account,
        answer.entitlement.offer,
        commitment.meter.name,
        before=answer.before.uses,
        after=priced.so_far.uses,
        bill=f"{commitment.public_id}/{drawn.month}",
        at=at,
    )
    after = {"month": drawn.month, "used_minor": drawn.used_minor, "drawn_minor": drawn.drawn_minor}
    after |= {"true_up_minor": drawn.true_up_minor, "billed_minor": drawn.billed_minor}
    _audit("commitment.draw", commitment, account, actor, reason, at, after)
    return drawn


@dataclass(frozen=True)
class Standing:
    """Where a commitment stands, minor units; `next_month` is None once the term has drawn."""

    drawn_minor: int
    remaining_minor: int
    next_month: int | None


def standing(commitment: AccountCommitment) -> Standing:
    """What is drawn and what remains, by the months that have drawn."""
    rows = list(commitment.draws.all())  # at most one a month; a list of commitments has fetched them
    drawn, months = sum(row.drawn_minor for row in rows), len(rows)
    return Standing(drawn, commitment.amount_minor - drawn, months + 1 if months < commitment.months else None)


def month_of(commitment: AccountCommitment, month: int) -> Period:
    """A month of the term, from 1."""
    return period(Anchor.at(commitment.starts_at, UTC_ZONE), Interval.MONTH, month - 1)


def _drawdown(commitment: AccountCommitment, used: Decimal, stand: Standing) -> Drawdown:
    promised = Commitment(commitment.amount_minor, commitment.months, in_advance=commitment.in_advance)
    with exactly():
        return draw(promised, used, commitment.currency, drawn_minor=stand.drawn_minor, period=stand.next_month or 0)[1]


def _found(commitment_id: int) -> AccountCommitment:
    commitment = AccountCommitment.objects.select_related("meter").filter(pk=commitment_id).first()
    if commitment is None:
        raise NotFound("no such commitment", field="commitment")
    return commitment


def _audit(
    action: str,
    commitment: AccountCommitment,
    account: BillingAccount,
    actor: Actor,
    reason: str,
    at: datetime,
    after: dict[str, Any],
) -> None:
    subject = ("account_commitment", commitment.pk)
    record(actor, action, subject=subject, account=account, at=at, reason=reason, after=after)
