"""Limits as people read them: cores, GiB and pieces, each exactly what the cluster writes."""

from collections.abc import Callable
from decimal import Decimal

from quotas.models import Limit, LimitKind
from quotas.resource_quantities import canonical, parse

NOT_ENFORCED = "not enforced"
_GIB = Decimal(2**30)
_QUOTA = LimitKind.HIERARCHICAL_RESOURCE_QUOTA


def cores(text: str) -> str:
    """`10300m` as `10.3 vCPU`."""
    return f"{_short(parse(text))} vCPU"


def size(text: str) -> str:
    """`29056Mi` as `28.375 GiB`; what three places do not hold exactly stays as the cluster writes it."""
    amount = parse(text)
    gib = amount / _GIB
    return f"{_short(gib)} GiB" if gib == round(gib, 3) else canonical(amount, binary=True)


def pieces(text: str) -> str:
    return f"{int(text):,}"


def gigabytes(text: str) -> str:
    return f"{_short(parse(text))} GB"


SHOWN: tuple[tuple[str, str, str, Callable[[str], str]], ...] = (
    ("CPU", _QUOTA, "requests.cpu", cores),
    ("Memory", _QUOTA, "requests.memory", size),
    ("Storage", _QUOTA, "requests.storage", size),
    ("CPU limits", _QUOTA, "limits.cpu", cores),
    ("Memory limits", _QUOTA, "limits.memory", size),
    ("Pods", _QUOTA, "pods", pieces),
    ("Load balancers", _QUOTA, "services.loadbalancers", pieces),
    ("Public addresses", LimitKind.EXTERNAL_IPS, "public", pieces),
    ("Object storage", LimitKind.OBJECT_STORAGE, "gigabytes", gigabytes),
)


def limits_of(organization_id: int) -> dict[str, str]:
    """The limits of an organization in words, by what is limited."""
    rows = Limit.objects.filter(organization_id=organization_id, project=None)
    kept = {row.kind: row.values for row in rows}
    return {
        title: show(kept[kind][key]) if key in kept.get(kind, {}) else NOT_ENFORCED for title, kind, key, show in SHOWN
    }


def _short(amount: Decimal) -> str:
    whole, _, places = f"{amount:,f}".partition(".")
    places = places.rstrip("0")
    return f"{whole}.{places}" if places else whole
