"""Reading what surrounds the rates of a price: whom it is for, its discounts, its commitment."""

from accounts.currencies import EXPONENTS
from quotas.pricing.commitments import Commitment
from quotas.pricing.discounts import Discount
from quotas.pricing.exact import to_minor
from quotas.pricing.faults import Faults
from quotas.pricing.fields import ABSENT, Fields
from quotas.pricing.prices import EVERYBODY, Audience

MOST_DISCOUNTS = 20
_DISCOUNT_SPELLINGS = {"starts": ("from",), "ends": ("until",), "times": ("count",), "percent": ("percentage",)}


def most_major(currency: str) -> int:
    """What an amount in major units must stay below, so that it is at most 10^15 minor units."""
    return int(10 ** (15 - EXPONENTS.get(currency, 4)))


def read_audience(fields: Fields) -> Audience:
    """Whom a price is for, from its key `for`."""
    given = fields.take("for")
    if given is ABSENT or given is None or given == "default":
        return EVERYBODY
    inner = Fields(given, fields.at("for"), fields.faults)
    audience = Audience(inner.text("account", default=""), inner.text("segment", default=""))
    inner.done()
    if inner.is_object and bool(audience.account) == bool(audience.segment):
        fields.fault("for", "audience_invalid", "name one account or one segment")
    return audience


def read_discounts(fields: Fields, most_amount: int) -> tuple[Discount, ...]:
    """The discounts of a price; no two of one name, because uses are counted by it."""
    if not fields.has("discounts"):
        return ()
    faults = fields.faults
    discounts = fields.items(
        "discounts", lambda member, path: _discount(member, path, faults, most_amount), most=MOST_DISCOUNTS, least=0
    )
    seen: set[str] = set()
    for place, discount in enumerate(discounts):
        if discount.name in seen:
            faults.add(f"{fields.at('discounts')}[{place}].name", "duplicate_name", "two discounts have this name")
        seen.add(discount.name)
    return tuple(discounts)


def _discount(document: object, path: str, faults: Faults, most_amount: int) -> Discount:
    fields = Fields(document, path, faults, _DISCOUNT_SPELLINGS)
    percent = fields.number("percent", below=101, places=6) if fields.has("percent") else None
    amount = fields.optional_number("amount", below=most_amount)
    if fields.is_object and (percent is None) == (amount is None):
        fields.fault("", "discount_invalid", "write either percent or amount")
    if percent is not None and percent > 100:
        fields.fault("percent", "too_large", "it must be at most 100")
    discount = Discount(
        name=fields.text("name", default=path.rpartition(".")[2]),  # its place in the list
        percent=percent,
        amount=amount,
        starts=fields.moment("starts"),
        ends=fields.moment("ends"),
        times=fields.whole("times", most=10**6),
    )
    if discount.starts and discount.ends and discount.starts >= discount.ends:
        fields.fault("ends", "ends_before_it_starts", "it ends before it starts")
    fields.done()
    return discount


def read_commitment(fields: Fields, currency: str) -> Commitment | None:
    """The commitment of a price: `amount` in whole minor units, as major ones; `periods`; `paid`."""
    given = fields.take("commitment")
    if given is ABSENT or given is None:
        return None
    inner = Fields(given, fields.at("commitment"), fields.faults, {"paid": ("billing",)})
    if not inner.is_object:
        return None
    amount = inner.number("amount", below=most_major(currency), places=EXPONENTS.get(currency, 4), zero=False)
    paid = inner.text("paid", default="arrears")
    if paid not in ("arrears", "advance"):
        inner.fault("paid", "unknown_word", "write arrears or advance")
    periods = inner.whole("periods", default=1, most=1200) or 1
    inner.done()
    return Commitment(to_minor(amount, currency) if currency else 0, periods, in_advance=paid == "advance")
