"""The catalog that is in force, and the versions it lists."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from quotas.catalog.document import parse, read_json
from quotas.catalog.terms import AddOn, Catalog, Plan
from quotas.errors import NoCatalog, UnknownItem
from quotas.models import CatalogItemVersion, CatalogLine, CatalogState, CatalogVersion, ItemKind

_TERMS: dict[str, type[Plan] | type[AddOn]] = {ItemKind.PLAN: Plan, ItemKind.ADD_ON: AddOn}


def newest() -> CatalogVersion | None:
    """The published catalog in force, or None before the first."""
    return CatalogVersion.objects.filter(state=CatalogState.PUBLISHED).order_by("-number").first()


def in_force() -> CatalogVersion:
    """Raises NoCatalog before the first publication."""
    found = newest()
    if found is None:
        raise NoCatalog("no catalog is published yet; import one")
    return found


def catalog_of(version: CatalogVersion) -> Catalog:
    """What a version says."""
    return parse(read_json(version.document))


def listed(kind: str, code: str) -> CatalogLine:
    """The line of a plan or an add-on in the catalog in force. Raises NoCatalog, UnknownItem."""
    line = (
        CatalogLine.objects.select_related("item", "version", "catalog")
        .filter(catalog=in_force(), item__kind=kind, item__code=code)
        .first()
    )
    if line is None:
        raise UnknownItem(f"the catalog lists no {kind} {code!r}", field="plan" if kind == ItemKind.PLAN else "addon")
    return line


def terms_of(version: CatalogItemVersion, kind: str) -> Plan | AddOn:
    """What a plan or an add-on was sold as, whatever the catalog says now."""
    return _read_terms(kind, version.terms)


# The same text says the same for as long as the process lives; what was read is frozen.
@lru_cache(maxsize=2000)
def _read_terms(kind: str, text: str) -> Plan | AddOn:
    return _TERMS[kind].model_validate(read_json(text))


@dataclass(frozen=True)
class Switches:
    """What the operator may change at any time: the newest catalog that lists the item says so."""

    disabled: bool
    external_ips: int | None


def switches(item_ids: Collection[int]) -> dict[int, Switches]:
    """The switches of items, also of those that are no longer sold. One query."""
    lines = CatalogLine.objects.filter(item_id__in=set(item_ids)).order_by("item_id", "-catalog__number")
    newest_lines = lines.distinct("item_id").values_list("item_id", "disabled", "external_ips")
    return {item_id: Switches(disabled, addresses) for item_id, disabled, addresses in newest_lines}
