"""What publishing a catalog would change, to whoever asks for it and to whoever approves it."""

from collections.abc import Iterator
from typing import Any

from accounts.admin import previews
from accounts.admin.previews import Preview, Table
from quotas import catalog_publishing
from quotas.catalog.changes import changes
from quotas.catalog.document import unknown_keys
from quotas.catalog.terms import Catalog
from quotas.catalog_consequences import Consequences, consequences
from quotas.catalog_in_force import catalog_of

MOST = 200  # values of a document that are shown
_WORDS = {
    "keep": "keep the limits and the price they have",
    "move": "have the new limits at once; their price stays",
}
NOBODY = "Overhead, suspended plan, public addresses and switches hold for everyone at once, whatever is chosen above."


def preview_publication(proposal: dict[str, Any]) -> Preview:
    """By what is in force and held now. Raises NotFound, Conflict."""
    draft, current = catalog_publishing.publishable(proposal)
    old, new = catalog_of(current) if current else None, catalog_of(draft)
    found = consequences(draft, current, existing=proposal["existing"])
    return Preview(
        [
            ("Catalog", f"{draft.public_id} from {draft.source}"),
            (
                "In force now",
                f"catalog {current.number} ({current.public_id})" if current else "none: this is the first",
            ),
            ("Holds", f"{len(new.plans)} plans, {len(new.addons)} add-ons"),
            ("Existing subscriptions", _WORDS[proposal["existing"]]),
            ("For everyone", NOBODY),
            ("Keys nothing reads", ", ".join(unknown_keys(new)) or "none"),
        ],
        tables=[table for table in (*_tables(found), differences(old, new)) if table.rows],
        second_person="A catalog in force changes." if catalog_publishing.needs_second_person(current) else "",
        warning=_warning(found),
    )


def differences(old: Catalog | None, new: Catalog) -> Table:
    """Every value that differs, the first MOST of them; a plan or an add-on that is new or gone is one line.

    Of a first catalog there is nothing to compare.
    """
    found = list(_folded(old, new)) if old else []
    more = f", the first {MOST} of {len(found)}" if len(found) > MOST else ""
    return Table(f"Every value that differs{more}", ("Value", "Before", "After"), found[:MOST])


def _folded(old: Catalog, new: Catalog) -> Iterator[tuple[str, str, str]]:
    before, after = _codes(old), _codes(new)
    told = set()
    for change in changes(old, new):
        item = ".".join(change.path.split(".")[:2])
        if item in before ^ after:
            if item not in told:
                yield (item, "–", "new") if item in after else (item, "listed", "no longer listed")
            told.add(item)
        else:
            yield change.path, _short(change.before), _short(change.after)
    for section in ("plans", "addons"):
        orders = [list(getattr(catalog, section)) for catalog in (old, new)]
        if orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]):
            yield f"{section}, in order", ", ".join(orders[0]), ", ".join(orders[1])


def _codes(catalog: Catalog) -> set[str]:
    return {*(f"plans.{code}" for code in catalog.plans), *(f"addons.{code}" for code in catalog.addons)}


def _tables(found: Consequences) -> list[Table]:
    return [
        Table(
            "Plans and add-ons",
            ("Plan or add-on", "What", "Price before", "Price after", "Held by"),
            [(row.code, row.what, row.price_before, row.price_after, f"{row.holders:,}") for row in found.items],
            frozenset({"Price before", "Price after", "Held by"}),
        ),
        Table(
            "Limits of those who hold them",
            ("Who", "Held by", "Limit", "Before", "After"),
            [(row.who, f"{row.subscriptions:,}", row.limit, row.before, row.after) for row in found.limits],
            frozenset({"Held by", "Before", "After"}),
        ),
    ]


def _warning(found: Consequences) -> str:
    gone = [row for row in found.items if row.what == "no longer sold" and row.holders]
    return " ".join(f"{row.code} is no longer sold; {row.holders:,} keep it." for row in gone)


def _short(value: str | None) -> str:
    text = "–" if value is None else {"": "empty", "True": "yes", "False": "no"}.get(value, value)
    return text if len(text) <= 200 else f"{text[:199]}…"


previews.register(catalog_publishing.ACT, preview_publication)
