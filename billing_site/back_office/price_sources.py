"""What the calculator can begin with from the price book: a published offer in a currency, or the draft of a price."""

from collections.abc import Mapping

from billing_site.back_office.price_examples import readable
from quotas.models import LaunchStage, Offer, ServicePrice
from quotas.plain_codes import is_code
from quotas.pricing.faults import PriceInvalid
from quotas.service_prices import usage_document

SHOWN = 20  # offers to choose from, newest first


def published() -> list[tuple[str, str]]:
    """(code, currency) of the newest offers with prices for usage."""
    newest = Offer.objects.filter(launch_stage=LaunchStage.GA).order_by("-published_at", "-pk")[:SHOWN]
    return [
        (offer.code, currency)
        for offer in newest
        for currency, lists in (offer.snapshot or {}).items()
        if lists["prices"]
    ]


def of_address(given: Mapping[str, str]) -> dict[str, str] | None:
    """The form for what the address names: `offer` with `currency`, or `price_code`. None where it names nothing."""
    code = given.get("offer") or given.get("price_code") or ""
    if not is_code(code):
        return None
    return _of_offer(code, given.get("currency", "")) if "offer" in given else _of_draft(code)


def _of_offer(code: str, currency: str) -> dict[str, str] | None:
    offer = Offer.objects.filter(code=code, launch_stage=LaunchStage.GA).first()
    lists = (offer.snapshot or {}).get(currency) if offer else None
    if lists and lists["prices"]:
        listed = {"currency": currency, "prices": lists["prices"]}
        return {"price": readable(listed), "quantity": "1", "metric": lists["prices"][0]["metric"]}
    return None


def _of_draft(code: str) -> dict[str, str] | None:
    draft = ServicePrice.objects.filter(code=code, meter__isnull=False).first()
    if draft is None:
        return None
    try:
        document = usage_document(draft, draft.billing_account)
    except PriceInvalid:
        return None
    return {"price": readable({key: value for key, value in document.items() if key != "for"}), "quantity": "1"}
