"""SKUs and their rates. A new rate takes over from its moment on; it never touches usage already billed."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts.audit import Actor, record
from accounts.clock import check_moment
from accounts.currencies import exponent
from accounts.errors import Conflict, constraints
from quotas.decimals import parse_rate
from quotas.errors import AlreadyBilled
from quotas.models import Sku, SkuRate


def open_sku(code: str, name: str, unit: str, *, at: datetime) -> Sku:
    """Open a SKU sold by `unit` and hour. Raises Conflict where the code is taken."""
    with transaction.atomic(), constraints({"skus_code_key": Conflict(f"SKU {code!r} exists", field="code")}):
        return Sku.objects.create(code=code, name=name, unit=unit, created_at=at)


@transaction.atomic
def set_rate(
    sku: Sku,
    *,
    currency: str,
    rate_per_unit_hour: object,
    effective_from: datetime,
    actor: Actor,
    at: datetime,
) -> SkuRate:
    """Put a rate in force from a moment on; decimal major units of `currency` per unit and hour.

    Raises RateInvalid, CurrencyUnknown, TimeInvalid, AlreadyBilled, Conflict (a rate begins at that very moment).
    """
    exponent(currency)
    twice = Conflict("another rate begins at that moment", field="effective_from", code="rate_exists")
    billed = AlreadyBilled("usage after that moment is already billed", field="effective_from")
    with constraints({"one_rate_per_moment": twice, "billed_usage_stands": billed}):
        rate = SkuRate.objects.create(
            sku=sku,
            currency=currency,
            rate_per_unit_hour=parse_rate(rate_per_unit_hour),
            effective_from=check_moment(effective_from, field="effective_from"),
        )
    record(
        actor,
        "sku.set_rate",
        subject=("sku", sku.pk),
        at=at,
        after={
            "rate": str(rate.rate_per_unit_hour),
            "currency": currency,
            "from": effective_from.isoformat(),
        },
    )
    return rate


def rate_in_force(sku_id: int, currency: str, at: datetime) -> SkuRate | None:
    """The rate of a SKU at a moment, or None."""
    rates = SkuRate.objects.filter(sku_id=sku_id, currency=currency, effective_from__lte=at)
    return rates.order_by("-effective_from").first()


def rates_in_force(sku_ids: Collection[int], at: datetime) -> dict[tuple[int, str], SkuRate]:
    """The rates of SKUs at a moment, by SKU and currency; one query."""
    rates = SkuRate.objects.filter(sku_id__in=sku_ids, effective_from__lte=at)
    latest = rates.order_by("sku_id", "currency", "-effective_from").distinct("sku_id", "currency")
    return {(rate.sku_id, rate.currency): rate for rate in latest}
