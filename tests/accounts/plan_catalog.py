"""Plans for policies to be set for."""

from quotas.models import CatalogItem, ItemKind
from tests.cast import BEGINNING


def open_plan(key: int) -> CatalogItem:
    """A plan of that id. Its terms have no bearing on policies."""
    return CatalogItem.objects.create(pk=key, kind=ItemKind.PLAN, code=f"plan-{key}", created_at=BEGINNING)
