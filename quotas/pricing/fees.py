"""Prices that are no usage: an amount once, or one a month. Words and rules of seed 000's ServicePricing."""

from dataclasses import dataclass

from accounts.currencies import EXPONENTS
from quotas.pricing.exact import to_minor
from quotas.pricing.faults import Faults
from quotas.pricing.fields import Fields
from quotas.pricing.reading_rules import most_major

_WHEN = {"OneTime": ("trigger", "BillingAccountActivation"), "Recurring": ("interval", "monthly")}


@dataclass(frozen=True)
class Fee:
    """`when` is BillingAccountActivation or monthly."""

    charge_type: str
    amount_minor: int
    currency: str
    when: str


def read_fee(document: object, charge_type: str, currency: str, *, path: str = "price") -> Fee:
    """`amount` in major units, whole minor units of the currency; `trigger` or `interval`, which have one value yet.

    Raises PriceInvalid with every fault.
    """
    faults = Faults()
    fields = Fields(document, path, faults)
    key, only = _WHEN[charge_type]
    amount = fields.number("amount", below=most_major(currency), places=EXPONENTS[currency], zero=False)
    if fields.text(key, default=only) != only:
        fields.fault(key, "unknown_word", f"write {only}")
    fields.done()
    faults.raise_any()
    return Fee(charge_type, to_minor(amount, currency), currency, only)
