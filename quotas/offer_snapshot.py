"""What an offer copies when it is published, and everything that must hold so that it cannot fail to bill."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quotas.meters import PRICED
from quotas.models import ChargeType, Meter, Offer, ServicePrice
from quotas.pricing.faults import Fault, PriceInvalid
from quotas.pricing.fees import read_fee
from quotas.pricing.prices import PriceList
from quotas.pricing.reading_prices import read_price_list
from quotas.service_prices import usage_document


@dataclass(frozen=True)
class Snapshot:
    """`document`: currency → {"prices": [...], "fees": [...]}; `sha256` of its canonical JSON."""

    document: dict[str, Any]

    @property
    def sha256(self) -> str:
        text = json.dumps(self.document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def charge_types(self) -> set[str]:
        fees = {fee["charge_type"] for lists in self.document.values() for fee in lists["fees"]}
        usage = {str(ChargeType.USAGE)} if any(lists["prices"] for lists in self.document.values()) else set()
        return fees | usage


def assemble(offer: Offer) -> Snapshot:
    """The copy that publication would make. Raises PriceInvalid with everything that could fail to bill.

    Each metric has one price for everybody, no audience two; matches name declared dimensions and one catch-all
    remains; meters are published; every currency prices every metric; the offer declares what it charges for.
    """
    prices = [held.price for held in offer.prices.select_related("price__meter", "price__segment").order_by("pk")]
    faults = [] if prices else [Fault("prices", "empty", "the offer has no price")]
    by_currency: defaultdict[str, list[ServicePrice]] = defaultdict(list)
    for price in prices:
        by_currency[price.currency].append(price)
    snapshot = Snapshot(
        {currency: _lists(currency, held, faults) for currency, held in sorted(by_currency.items())},
    )
    faults += _uneven(snapshot)
    missing = snapshot.charge_types - set(offer.charge_types)
    if missing:
        reason = f"the offer does not declare {', '.join(sorted(missing))}"
        faults.append(Fault("charge_types", "charge_types_incomplete", reason))
    if faults:
        raise PriceInvalid(faults)
    return snapshot


def price_list(snapshot: dict[str, Any], currency: str) -> PriceList | None:
    """The prices of a published offer in a currency; None where it is not sold in it."""
    held = snapshot.get(currency)
    if held is None or not held["prices"]:
        return None
    return read_price_list({"currency": currency, "prices": held["prices"]})


def _lists(currency: str, prices: Sequence[ServicePrice], faults: list[Fault]) -> dict[str, Any]:
    usage = [price for price in prices if price.charge_type == ChargeType.USAGE]
    documents, meters = [], {}
    for price in usage:
        try:
            documents.append(_with_dimensions(usage_document(price, price.billing_account), price.meter))
        except PriceInvalid as error:
            faults += [Fault(f"{price.code}: {fault.path}", fault.code, fault.reason) for fault in error.faults]
        if price.meter and price.meter.phase in PRICED:
            meters[price.meter.name] = price.meter.dimensions
    if documents:
        try:
            read_price_list({"currency": currency, "prices": documents}, path=currency, meters=meters)
        except PriceInvalid as error:
            faults += error.faults
    return {"prices": documents, "fees": _fees(prices, faults)}


def _with_dimensions(document: dict[str, Any], meter: Meter | None) -> dict[str, Any]:
    """A copy bills by the dimensions that were declared when it was made."""
    return {**document, "dimensions": list(meter.dimensions)} if meter and "rates" in document else document


def _fees(prices: Sequence[ServicePrice], faults: list[Fault]) -> list[dict[str, Any]]:
    fees = []
    for price in prices:
        if price.charge_type == ChargeType.USAGE:
            continue
        try:
            fee = read_fee(price.document, price.charge_type, price.currency, path=price.code)
        except PriceInvalid as error:
            faults += error.faults
            continue
        if price.segment_id or price.billing_account_id:
            faults.append(Fault(price.code, "audience_invalid", "only usage has prices by customer"))
        fees.append({"code": price.code, **vars(fee)})
    return fees


def _uneven(snapshot: Snapshot) -> list[Fault]:
    """An account of any currency that the offer is sold in can use all of it."""
    metrics = {
        currency: {price["metric"] for price in lists["prices"]} for currency, lists in snapshot.document.items()
    }
    everything = set().union(*metrics.values())
    return [
        Fault(currency, "metric_without_price", f"{', '.join(sorted(everything - held))} has no price in {currency}")
        for currency, held in metrics.items()
        if everything - held
    ]
