"""What previews of acts on allocations say: who pays, how much it holds, what that costs."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse

from accounts.admin.act_pages import Done
from accounts.admin.previews import Fact, facts_about
from accounts.bindings import active_binding
from accounts.currencies import exponent
from accounts.display import NOTHING, plain, show_moment
from accounts.models import BillingAccount
from quotas.errors import NotBound
from quotas.models import Allocation, Sku, SkuRate
from quotas.price_book import rate_in_force

QUANTITY_HINT = "A plain decimal, such as 8 or 2.5."


def done(allocation: Allocation, message: str, **result: Any) -> Done:
    url = reverse("admin:quotas_allocation_change", args=[allocation.pk])
    found = {"allocation": allocation.public_id, "status": str(allocation.status), **result}
    return Done(url, message, result=found)


def payer(allocation: Allocation) -> BillingAccount:
    binding = active_binding(allocation.project)
    if binding is None:
        raise NotBound("the project has no active billing account binding")
    return binding.billing_account


def facts(allocation: Allocation, account: BillingAccount) -> list[Fact]:
    return [("Allocation", f"{allocation.public_id}, {allocation.status}"), *facts_about(account)]


def running_cost(allocation: Allocation, account: BillingAccount, at: datetime) -> list[Fact]:
    rate, quantity = rate_in_force(allocation.sku_id, account.currency, at), quantity_of(allocation)
    since = show_moment(allocation.started_at)
    return [
        ("Runs since", since),
        ("Quantity", units(quantity, allocation.sku)),
        ("Cost per hour", cost_per_hour(rate, quantity)),
    ]


def quantity_of(allocation: Allocation) -> Decimal | None:
    held = allocation.quantities.filter(effective_to=None).first()
    return held.quantity if held else None


def units(quantity: Decimal | None, sku: Sku) -> str:
    return f"{plain(quantity)} {sku.unit}" if quantity else "none"


def rate_words(rate: SkuRate | None, sku: Sku) -> str:
    return f"{plain(rate.rate_per_unit_hour)} {rate.currency} per {sku.unit} and hour" if rate else "no rate"


def cost_per_hour(rate: SkuRate | None, quantity: Decimal | None) -> str:
    """Exact, in major units: it may have more decimals than the currency."""
    if rate is None or quantity is None:
        return "no rate" if rate is None else NOTHING
    whole, _, places = f"{rate.rate_per_unit_hour * quantity:f}".partition(".")
    places = places.rstrip("0").ljust(exponent(rate.currency), "0")
    return f"{int(whole):,}{'.' if places else ''}{places} {rate.currency}"
