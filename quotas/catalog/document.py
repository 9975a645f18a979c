"""From a plain document to a catalog: accepted whole, or refused with every fault."""

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError

from quotas.catalog.faults import CatalogInvalid, Fault
from quotas.catalog.reading import Document, read_text
from quotas.catalog.terms import Catalog

_WORDS = {"missing": "is required", "too_short": "must not be empty"}


def parse(document: Document) -> Catalog:
    """Raises CatalogInvalid with every fault."""
    faults = list(_addresses_of_no_plan(document))
    try:
        catalog = Catalog.model_validate(document)
    except ValidationError as error:
        faults = [_fault(found) for found in error.errors(include_input=False)] + faults
        raise CatalogInvalid(faults) from None
    if faults:
        raise CatalogInvalid(faults)
    return catalog


def parse_text(text: str | bytes) -> Catalog:
    """From YAML or JSON, bare or inside its ConfigMap. Raises CatalogInvalid."""
    return parse(read_text(text))


def canonical_json(value: Any) -> str:
    """One text for one meaning. Mappings keep their order: the order of plans is theirs to be shown in."""
    if isinstance(value, dict):
        pairs = (f"{canonical_json(str(key))}:{canonical_json(item)}" for key, item in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(canonical_json, value))}]"
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def read_json(text: str) -> Document:
    """What `canonical_json` wrote; a number with decimals is never a float."""
    document: Document = json.loads(text, parse_float=Decimal)
    return document


def fingerprint(document: Document) -> str:
    """SHA-256 of the canonical document, lowercase hex."""
    return hashlib.sha256(canonical_json(document).encode()).hexdigest()


def unknown_keys(part: BaseModel, path: str = "") -> Iterator[str]:
    """The paths of keys that nothing reads. They are kept; one that is a slip of the pen should be seen."""
    for key in part.model_extra or {}:
        yield f"{path}{key}"
    for name, info in type(part).model_fields.items():
        below = f"{path}{info.alias or name}."
        value = getattr(part, name)
        if isinstance(value, BaseModel):
            yield from unknown_keys(value, below)
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, BaseModel):
                    yield from unknown_keys(item, f"{below}{key}.")


def _addresses_of_no_plan(document: Document) -> Iterator[Fault]:
    """A limit under a misspelt code would leave the plan it was meant for without one."""
    plans, quota = document.get("plans"), document.get("eipQuota")
    if isinstance(plans, dict) and isinstance(quota, dict):
        yield from (Fault(f"eipQuota.{code}", "there is no plan of that code") for code in quota if code not in plans)


def _fault(found: Any) -> Fault:
    path = ".".join(str(step) for step in found["loc"] if step != "[key]")
    return Fault(path, _WORDS.get(found["type"], found["msg"].removeprefix("Value error, ")))
