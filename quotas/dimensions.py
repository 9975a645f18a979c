"""What is limited, counted and asked about: the names, and how a quantity of each is read and written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from accounts.errors import DomainError
from quotas.errors import QuantityInvalid
from quotas.models import Limit, LimitKind
from quotas.resource_quantities import canonical, parse


class DimensionUnknown(DomainError):
    code = "dimension_unknown"
    field = "dimension"


@dataclass(frozen=True)
class Dimension:
    """`where` says which limit of the organization bounds it: the kind of the row, and the key in its values."""

    name: str
    words: str
    where: tuple[str, str]
    binary: bool = False  # bytes
    whole: bool = False  # pieces
    unit: str = ""


_QUOTA = LimitKind.HIERARCHICAL_RESOURCE_QUOTA
DIMENSIONS = {
    dimension.name: dimension
    for dimension in (
        Dimension("requests.cpu", "CPU", (_QUOTA, "requests.cpu"), unit="cores"),
        Dimension("requests.memory", "memory", (_QUOTA, "requests.memory"), binary=True),
        Dimension("requests.storage", "storage", (_QUOTA, "requests.storage"), binary=True),
        Dimension("limits.cpu", "CPU limits", (_QUOTA, "limits.cpu"), unit="cores"),
        Dimension("limits.memory", "memory limits", (_QUOTA, "limits.memory"), binary=True),
        Dimension("pods", "pods", (_QUOTA, "pods"), whole=True),
        Dimension("services.loadbalancers", "load balancers", (_QUOTA, "services.loadbalancers"), whole=True),
        Dimension("external_ips", "public addresses", (LimitKind.EXTERNAL_IPS, "public"), whole=True),
        Dimension("object_storage", "object storage", (LimitKind.OBJECT_STORAGE, "gigabytes"), unit="GB"),
    )
}
# A project's own quota knows what a ResourceQuota of the cluster knows.
OF_A_PROJECT = tuple(name for name, dimension in DIMENSIONS.items() if dimension.where[0] == _QUOTA)
_SHORT = {"cpu": "requests.cpu", "memory": "requests.memory", "storage": "requests.storage"}


def named(name: str) -> Dimension:
    """By its name; cpu, memory and storage mean what is requested of them. Raises DimensionUnknown."""
    found = DIMENSIONS.get(_SHORT.get(name, name))
    if found is None:
        raise DimensionUnknown(f"{name!r} is not counted; choose among {', '.join(DIMENSIONS)}")
    return found


def read(values: Mapping[str, object]) -> dict[str, Decimal]:
    """Quantities by dimension. Raises DimensionUnknown, QuantityInvalid (the field is the name that was given)."""
    found: dict[str, Decimal] = {}
    for name, value in values.items():
        dimension = named(name)
        try:
            amount = parse(value)
        except QuantityInvalid as error:
            raise QuantityInvalid(error.detail, field=name) from None
        if dimension.whole and amount != amount.to_integral_value():
            raise QuantityInvalid(f"{dimension.words} come in whole numbers", field=name)
        if dimension.name in found:
            raise QuantityInvalid(f"{dimension.words} given twice", field=name)
        found[dimension.name] = amount
    return found


def write(name: str, amount: Decimal) -> str:
    """As the cluster writes it."""
    return canonical(amount, binary=DIMENSIONS[name].binary)


def bounds(limits: Iterable[Limit]) -> dict[str, Decimal]:
    """The bound of each dimension that one is enforced for, from an organization's limits."""
    kept = {limit.kind: limit.values for limit in limits}
    found = {}
    for name, dimension in DIMENSIONS.items():
        kind, key = dimension.where
        if key in kept.get(kind, {}):
            found[name] = parse(kept[kind][key])
    return found
