"""How addresses name rows, by public id or by `ext:` and the platform's own id; how bodies refer to them."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from accounts.callers import Caller
from accounts.errors import NotFound
from accounts.public_ids import decode

Row = TypeVar("Row", bound=Model)
EXTERNAL = "ext:"


def named(rows: QuerySet[Row], text: str, *, what: str) -> Row:
    """The one of `rows` (those that the caller may see) with that name. Raises NotFound."""
    found: list[Row] = []
    if text.startswith(EXTERNAL):
        name = text.removeprefix(EXTERNAL)
        if hasattr(rows.model, "external_id") and name and "\x00" not in name:
            found = list(rows.filter(external_id=name)[:2])
    else:
        key = decode(rows.model.PUBLIC_PREFIX, text)  # type: ignore[attr-defined] # a PublicId
        found = list(rows.filter(pk=key)) if key else []
    if len(found) != 1:
        raise NotFound(f"no such {what}")
    return found[0]


def known_to(caller: Caller, rows: QuerySet[Row], *, organization: str = "organization_id") -> QuerySet[Row]:
    """Those of organizations that the caller is told of, whatever they may do there."""
    return rows if caller.everywhere else rows.filter(**{f"{organization}__in": caller.seats})


def referred(rows: QuerySet[Row], key: int, *, field: str) -> Row:
    """The one of `rows` (those that the caller may see) that a body refers to. Raises NotFound, naming the field."""
    row = rows.filter(pk=key).first()
    if row is None:
        raise NotFound(f"no such {field.replace('_', ' ')}", field=field)
    return row
