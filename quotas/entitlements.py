"""Which offer an account is billed by: exactly one, published; earlier ones are kept."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.errors import AccountNotReady, Conflict, NotFound, TimeInvalid, constraints
from accounts.locking import lock_account
from accounts.models import BillingAccount, Phase
from accounts.outbox import emit
from quotas import topics
from quotas.models import BillingEntitlement, LaunchStage, Offer


@transaction.atomic
def assign_offer(account_id: int, offer: Offer, *, actor: Actor, reason: str, at: datetime) -> BillingEntitlement:
    """Bill an account by an offer from `at` on.

    Raises NotFound, AccountNotReady, Conflict (`offer_not_ga`, `offer_lacks_currency`, `already_assigned`), TimeInvalid
    (before the last change), ReasonRequired.
    """
    at, reason = check_moment(at), require_reason(reason)
    account = lock_account(account_id)
    _may_hold(account, offer)
    current = BillingEntitlement.objects.filter(billing_account=account, effective_to=None).first()
    if current and current.offer_id == offer.pk:
        raise Conflict("the account has this offer already", field="offer", code="already_assigned")
    if current:
        if at < current.effective_from:
            raise TimeInvalid("the account changed its offer later than that")
        current.effective_to = at
        current.save(update_fields=["effective_to"])
    gone = Conflict("the account's offer changed meanwhile; try again", field="offer", code="already_assigned")
    with constraints({"entitlements_follow_each_other": gone}):
        entitlement = BillingEntitlement.objects.create(billing_account=account, offer=offer, effective_from=at)
    record(
        actor,
        "entitlement.assign",
        subject=("billing_entitlement", entitlement.pk),
        account=account,
        at=at,
        reason=reason,
        before={"offer": current.offer.code if current else None},
        after={"offer": offer.code},
    )
    emit(topics.OFFER_ASSIGNED, {"account": account.public_id, "offer": offer.public_id}, at=at, account=account)
    return entitlement


def entitlement_of(account_id: int, at: datetime) -> BillingEntitlement | None:
    """What an account is billed by at a moment."""
    held = BillingEntitlement.objects.filter(
        Q(effective_to=None) | Q(effective_to__gt=at), billing_account_id=account_id, effective_from__lte=at
    )
    return held.select_related("offer").first()


def find_offer(code: str) -> Offer:
    """The offer of a code. Raises NotFound."""
    offer = Offer.objects.filter(code=code).first()
    if offer is None:
        raise NotFound("there is no offer of that code", field="offer")
    return offer


def _may_hold(account: BillingAccount, offer: Offer) -> None:
    if account.phase == Phase.ARCHIVED:
        raise AccountNotReady("the account is archived", field="billing_account")
    if offer.launch_stage != LaunchStage.GA or offer.snapshot is None:
        raise Conflict("the offer is not published", field="offer", code="offer_not_ga")
    if account.currency not in offer.snapshot:
        sold = ", ".join(offer.snapshot)
        raise Conflict(
            f"the offer is sold in {sold}, not in {account.currency}", field="offer", code="offer_lacks_currency"
        )
