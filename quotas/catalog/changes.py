"""What one catalog changes of another, path by path."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from quotas.catalog.terms import Catalog


@dataclass(frozen=True)
class Change:
    """`before` or `after` is None where the path is only in one of the two."""

    path: str
    before: str | None
    after: str | None

    @property
    def kind(self) -> str:
        """added, removed or changed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def changes(old: Catalog | None, new: Catalog) -> list[Change]:
    """Every value that differs, in the order of the new document, then what is gone."""
    before = dict(_leaves(old.as_document())) if old else {}
    after = dict(_leaves(new.as_document()))
    differing = [Change(path, before.get(path), value) for path, value in after.items() if before.get(path) != value]
    return differing + [Change(path, value, None) for path, value in before.items() if path not in after]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}.{number}")
    elif isinstance(value, list | tuple):
        yield path, " · ".join(str(item) for item in value)
    else:
        yield path, str(value)
