"""Reading a charge: which model it is, in our spelling or in seed 000's (`flat`, `tiered[]{upTo,rate}`)."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from quotas.pricing.charges import Charge, Flat, Graduated, Package, Percentage, Tier, Volume
from quotas.pricing.faults import Faults
from quotas.pricing.fields import ABSENT, Fields, read_number

MOST_TIERS = 100
NOTHING = Flat(Decimal(0))  # stands in for a charge that could not be read
_UNREAD = Decimal(-1)  # stands in for a bound that could not be read, and has its fault

MODELS = {
    "flat": "flat",
    "per_unit": "flat",
    "unit": "flat",
    "graduated": "graduated",
    "tiered": "graduated",
    "volume": "volume",
    "package": "package",
    "percentage": "percentage",
    "percent": "percentage",
}
CHARGE_SPELLINGS = {
    "model": ("type", "kind", "charge_model"),
    "rate": ("unit_price", "unit_amount", "price_per_unit"),
    "fee": ("flat_fee", "fixed_fee", "flat_amount", "fixed"),
    "tiers": ("bands",),
    "size": ("package_size", "pack_size"),
    "price": ("package_price", "pack_price"),
    "percent": ("percentage",),
}
_TIER_SPELLINGS = {
    "up_to": ("upTo",),
    "rate": ("unit_price", "unit_amount", "price"),
    "fee": ("flat_fee", "fixed_fee", "flat_amount"),
}
_KEYS_OF = {
    "flat": "rate",
    "graduated": "tiers",
    "volume": "tiers",
    "package": "size",
    "percentage": "percent",
}


def says_charge(fields: Fields) -> bool:
    """Whether an object names a charge of its own."""
    return any(fields.has(key) for key in ("model", "flat", "tiered", "rate", "tiers", "size", "percent"))


def read_charge(fields: Fields) -> Charge:
    """Take the keys of one charge from an object. Faults leave a stand-in."""
    model = _model(fields)
    return _READERS[model](fields) if model else NOTHING


def _model(fields: Fields) -> str | None:
    given = fields.take("model")
    if given is ABSENT:
        return _model_by_keys(fields)
    model = MODELS.get(given) if isinstance(given, str) else None
    if model is None:
        fields.fault("model", "unknown_model", f"it is none of {', '.join(sorted(set(MODELS.values())))}")
    return model


def _model_by_keys(fields: Fields) -> str | None:
    """Without `model`, the keys must leave one reading. `tiers` alone could be graduated or volume."""
    said = [model for key, model in (("flat", "flat"), ("tiered", "graduated")) if fields.has(key)]
    said += [model for model in ("flat", "package", "percentage") if fields.has(_KEYS_OF[model])]
    if len(said) == 1:
        return said[0]
    fields.fault("model", "required" if not said else "ambiguous", "say which model: graduated, volume, …")
    return None


def _flat(fields: Fields) -> Charge:
    key = "flat" if fields.has("flat") else "rate"
    return Flat(fields.number(key), fields.number("fee", default=Decimal(0)))


def _package(fields: Fields) -> Charge:
    return Package(fields.number("size", zero=False), fields.number("price"))


def _percentage(fields: Fields) -> Charge:
    percent = fields.number("percent", below=1001, places=6)
    return Percentage(percent, fields.number("fee", default=Decimal(0)))


def _graduated(fields: Fields) -> Charge:
    return Graduated(_tiers(fields, "tiered" if fields.has("tiered") else "tiers"))


def _volume(fields: Fields) -> Charge:
    return Volume(_tiers(fields, "tiers"))


def _tiers(fields: Fields, key: str) -> tuple[Tier, ...]:
    faults = fields.faults
    tiers = tuple(fields.items(key, lambda member, path: _tier(member, path, faults), most=MOST_TIERS))
    over = Decimal(0)
    for place, tier in enumerate(tiers):
        path = f"{fields.at(key)}[{place}].up_to"
        last = place == len(tiers) - 1
        if tier.up_to == _UNREAD:
            continue
        if last and tier.up_to is not None:
            faults.add(path, "last_tier_closed", "the last tier must be open, so that every quantity has a rate")
        elif not last and tier.up_to is None:
            faults.add(path, "open_tier_before_last", "only the last tier is open")
        elif tier.up_to is not None:
            if tier.up_to <= over:
                faults.add(path, "bounds_not_increasing", f"it must be above {over:f}, where the tier begins")
            over = max(over, tier.up_to)
    return tiers


def _tier(document: object, path: str, faults: Faults) -> Tier:
    fields = Fields(document, path, faults, _TIER_SPELLINGS)
    if not fields.is_object:
        return Tier(None, Decimal(0))
    bound, up_to = fields.take("up_to"), None
    if bound is not ABSENT and bound is not None and bound != "inf":
        read = read_number(bound, fields.at("up_to"), faults, below=10**15)
        up_to = _UNREAD if read is None else read
    tier = Tier(up_to, fields.number("rate"), fields.number("fee", default=Decimal(0)))
    fields.done()
    return tier


_READERS: Mapping[str, Callable[[Fields], Charge]] = {
    "flat": _flat,
    "graduated": _graduated,
    "volume": _volume,
    "package": _package,
    "percentage": _percentage,
}
