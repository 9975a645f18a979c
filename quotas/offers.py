"""Offers: drafted, published once, frozen from then on. Publication may need a second person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.approval_grants import grants
from accounts.approvals import Proposal
from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.errors import ApprovalRequired, Conflict, NotFound
from accounts.models import ApprovalRequest
from accounts.outbox import emit
from accounts.policy import effective
from accounts.signed_history import save_signed
from quotas import topics
from quotas.errors import OfferInvalid
from quotas.models import ChargeType, LaunchStage, Offer, OfferPrice, ServicePrice
from quotas.offer_snapshot import assemble
from quotas.plain_codes import is_code

ACT = "quotas.publish_offer"
POLICY = "approvals.catalog_publication"
Payload = dict[str, Any]


@transaction.atomic
def save_offer(
    code: str,
    *,
    display_name: str,
    charge_types: Sequence[str],
    prices: Sequence[ServicePrice],
    actor: Actor,
    reason: str,
    at: datetime,
) -> Offer:
    """Keep a draft under its code, in place of the one before.

    Raises OfferInvalid (`code_invalid`, `name_invalid`, `charge_type_invalid`), Conflict (`offer_published`),
    ReasonRequired.
    """
    at, reason = check_moment(at), require_reason(reason)
    if not is_code(code):
        raise OfferInvalid("a code is 1 to 63 lower-case letters, digits and -", field="code", code="code_invalid")
    unknown = set(charge_types) - set(ChargeType.values)
    if unknown or not charge_types:
        words = ", ".join(ChargeType.values)
        raise OfferInvalid(f"name some of {words}", field="charge_types", code="charge_type_invalid")
    offer = Offer.objects.select_for_update().filter(code=code).first() or Offer(code=code, created_at=at)
    _require_draft(offer)
    offer.display_name = _name(display_name)
    offer.charge_types = [kind for kind in ChargeType.values if kind in charge_types]
    save_signed(offer, actor, reason, at)
    OfferPrice.objects.filter(offer=offer).delete()
    OfferPrice.objects.bulk_create(OfferPrice(offer=offer, price=price) for price in prices)
    after = {"code": code, "charge_types": offer.charge_types, "prices": [price.code for price in prices]}
    record(actor, "offer.save", subject=("offer", offer.pk), at=at, reason=reason, after=after)
    return offer


def payload(offer: Offer) -> Payload:
    """The proposal: exactly this copy of the prices. Raises PriceInvalid, Conflict (`offer_published`)."""
    _require_draft(offer)
    return {"offer": offer.pk, "sha256": assemble(offer).sha256}


def perform(proposal: Payload, *, actor: Actor, reason: str, at: datetime, approval: ApprovalRequest | None) -> Payload:
    """The act as approvals carry it out."""
    offer = publish(proposal, actor=actor, reason=reason, at=at, approval=approval)
    return {"offer": offer.public_id, "launch_stage": offer.launch_stage}


def describe(proposal: Payload) -> Proposal:
    """For the people who decide."""
    offer = Offer.objects.filter(pk=proposal["offer"]).first()
    if offer is None:
        raise NotFound("no such offer", field="offer")
    return Proposal(f"Publish the offer {offer.code} ({offer.display_name})", None, None, "")


@transaction.atomic
def publish(
    proposal: Payload, *, actor: Actor, reason: str, at: datetime, approval: ApprovalRequest | None = None
) -> Offer:
    """Copy the offer's prices and freeze it: GA, for good.

    Raises NotFound, PriceInvalid (every reason why it could fail to bill), Conflict (`offer_published`,
    `offer_changed`: it is not what was looked at), ApprovalRequired, ReasonRequired.
    """
    at, reason = check_moment(at), require_reason(reason)
    offer = _locked(proposal["offer"])
    _require_draft(offer)
    # No price changes between this copy and the commit.
    list(ServicePrice.objects.select_for_update(of=("self",)).filter(offers__offer=offer).order_by("pk"))
    snapshot = assemble(offer)
    if snapshot.sha256 != proposal["sha256"]:
        raise Conflict("its prices are not what was looked at; look again", field="offer", code="offer_changed")
    if effective(POLICY) and not grants(approval, ACT, proposal):
        raise ApprovalRequired("a second person must approve a publication", field="offer")
    offer.snapshot, offer.published_at, offer.launch_stage = snapshot.document, at, LaunchStage.GA
    save_signed(offer, actor, reason, at)
    agreed = {"approval": approval.public_id} if approval else {}
    after = {"code": offer.code, "sha256": snapshot.sha256, **agreed}
    record(actor, "offer.publish", subject=("offer", offer.pk), at=at, reason=reason, after=after)
    emit(topics.OFFER_PUBLISHED, {"offer": offer.public_id, "code": offer.code}, at=at)
    return offer


@transaction.atomic
def rename(offer_id: int, display_name: str, *, actor: Actor, reason: str, at: datetime) -> Offer:
    """The one change a published offer allows. Raises NotFound, OfferInvalid (`name_invalid`), ReasonRequired."""
    at, reason = check_moment(at), require_reason(reason)
    offer = _locked(offer_id)
    before, offer.display_name = offer.display_name, _name(display_name)
    save_signed(offer, actor, reason, at)
    record(
        actor,
        "offer.rename",
        subject=("offer", offer.pk),
        at=at,
        reason=reason,
        before={"display_name": before},
        after={"display_name": offer.display_name},
    )
    return offer


def _require_draft(offer: Offer) -> None:
    if offer.launch_stage != LaunchStage.DRAFT:
        raise Conflict("the offer is published and never changes", field="offer", code="offer_published")


def _name(text: str) -> str:
    if not text.strip() or len(text) > 128:
        raise OfferInvalid("write a name of 1 to 128 characters", field="display_name", code="name_invalid")
    return text.strip()


def _locked(offer_id: int) -> Offer:
    offer = Offer.objects.select_for_update().filter(pk=offer_id).first()
    if offer is None:
        raise NotFound("no such offer", field="offer")
    return offer
