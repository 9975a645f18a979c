"""Approvals: an act above its limit waits for a second person, superusers included.

A room registers its act by name. `submit` performs it where the limit allows and otherwise files a request; `decide`
performs it in the same transaction as the decision. The act itself calls `require`, so that a direct call above the
limit is refused as well, and reads the approval from the database.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts import staff_roles, topics
from accounts.approval_grants import grants
from accounts.audit import Actor, person, record, require_reason
from accounts.currencies import format_minor
from accounts.errors import ApprovalRefused, ApprovalRequired, Forbidden, MakerIsChecker, NotFound
from accounts.models import ApprovalRequest, ApprovalState, BillingAccount, User
from accounts.outbox import emit
from accounts.policy import effective, within_limit

Payload = dict[str, Any]


@dataclass(frozen=True)
class Proposal:
    """What an act would do, for the people who decide."""

    summary: str
    account: BillingAccount | None
    amount_minor: int | None
    currency: str


@dataclass(frozen=True)
class Act:
    """`perform(payload, actor=, reason=, at=, approval=)` returns JSON; `describe(payload)` raises on bad input."""

    name: str
    perform: Callable[..., Payload]
    describe: Callable[[Payload], Proposal]


@dataclass(frozen=True)
class Outcome:
    """Either the act's result, or the request that waits for a second person."""

    result: Payload | None
    request: ApprovalRequest | None


_acts: dict[str, Act] = {}


def register(act: Act) -> None:
    _acts[act.name] = act


def submit(name: str, payload: Payload, *, maker: User, reason: str, at: datetime) -> Outcome:
    """Perform the act, or file a request where it needs a second person. Raises what the act raises."""
    act = _acts[name]
    _may(maker, "operate")
    reason = require_reason(reason)
    try:
        with transaction.atomic():
            result = act.perform(payload, actor=person(maker), reason=reason, at=at, approval=None)
        return Outcome(result, None)
    except ApprovalRequired:
        return Outcome(None, _file(act, payload, maker=maker, reason=reason, at=at))


@transaction.atomic
def _file(act: Act, payload: Payload, *, maker: User, reason: str, at: datetime) -> ApprovalRequest:
    proposal = act.describe(payload)
    request = ApprovalRequest.objects.create(
        act=act.name,
        payload=payload,
        summary=proposal.summary[:400],
        organization=proposal.account.organization if proposal.account else None,
        billing_account=proposal.account,
        amount_minor=proposal.amount_minor,
        currency=proposal.currency,
        reason=reason,
        maker=maker,
        requested_at=at,
        expires_at=at + timedelta(hours=effective("approvals.expiry_hours")),
    )
    record(
        person(maker),
        "approval.request",
        subject=("approval_request", request.pk),
        at=at,
        reason=reason,
        account=proposal.account,
        after={"act": act.name, "amount_minor": proposal.amount_minor, "currency": proposal.currency},
    )
    emit(topics.APPROVAL_REQUESTED, {"approval": request.public_id, "summary": request.summary}, at=at)
    return request


@transaction.atomic
def decide(request_id: int, *, checker: User, approve: bool, note: str, at: datetime) -> ApprovalRequest:
    """Approve (and perform) or reject a pending request; of two racing decisions one has an effect.

    Raises NotFound, Forbidden, MakerIsChecker, ApprovalRefused (decided or lapsed), and what the act raises.
    """
    request = ApprovalRequest.objects.select_for_update().filter(pk=request_id).first()
    if request is None:
        raise NotFound("no such approval request")
    _may(checker, "approve")
    if request.maker_id == checker.pk:
        raise MakerIsChecker("whoever asked cannot decide; ask a second person")
    if request.state != ApprovalState.PENDING:
        raise ApprovalRefused(f"this request is already {request.state}")
    if approve and not staff_roles.may(request.maker, "operate"):
        raise ApprovalRefused("whoever asked may no longer do this; reject it")
    if request.expires_at <= at:
        raise ApprovalRefused("this request has lapsed; file it again")
    request.state = ApprovalState.APPROVED if approve else ApprovalState.REJECTED
    request.checker, request.decided_at, request.note = checker, at, note[:2000]
    request.save(update_fields=["state", "checker", "decided_at", "note"])
    record(
        person(checker),
        f"approval.{'approve' if approve else 'reject'}",
        subject=("approval_request", request.pk),
        at=at,
        reason=note or request.reason,
        account=request.billing_account,
    )
    if approve:
        request.result = _acts[request.act].perform(
            request.payload, actor=person(request.maker), reason=request.reason, at=at, approval=request
        )
        request.save(update_fields=["result"])
    emit(topics.APPROVAL_DECIDED, {"approval": request.public_id, "state": request.state}, at=at)
    return request


def about_amount(payload: Payload, words: str) -> Proposal:
    """What a proposal of an amount for a billing account says; Raises NotFound.

    `words` may name {account}, {amount} and whatever else the proposal holds.
    """
    account = BillingAccount.objects.filter(pk=payload["billing_account"]).first()
    if account is None:
        raise NotFound("no such billing account", field="billing_account")
    summary = words.format(
        **payload, account=account.name, amount=format_minor(payload["amount_minor"], account.currency)
    )
    return Proposal(summary, account, payload["amount_minor"], account.currency)


def require(
    name: str,
    payload: Payload,
    limit_key: str,
    *,
    amount_minor: int,
    currency: str,
    approval: ApprovalRequest | None,
) -> None:
    """Called by the act: let it pass within the limit, or under an approval of exactly this payload, not yet spent.

    Raises ApprovalRequired. The limit is a money policy in minor units of `currency`.
    """
    if within_limit(limit_key, amount_minor, currency) or grants(approval, name, payload):
        return
    amount = format_minor(amount_minor, currency)
    raise ApprovalRequired(f"{amount} is above the limit; a second person must approve it", field="amount_minor")


def expire_due(at: datetime) -> int:
    """Let undecided requests lapse whose time has passed; how many."""
    return ApprovalRequest.objects.filter(state=ApprovalState.PENDING, expires_at__lte=at).update(
        state=ApprovalState.EXPIRED, decided_at=at
    )


def _may(user: User, ability: str) -> None:
    if not staff_roles.may(user, ability):
        raise Forbidden(f"your role does not let you {ability}")


def actor_or_maker(actor: Actor, approval: ApprovalRequest | None) -> dict[str, Any]:
    """For audit rows: who asked and who agreed."""
    return {"maker": actor.label, "checker": approval.checker_id if approval else None}
