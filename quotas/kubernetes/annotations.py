"""An organization's subscription as annotations on its object in the cluster, and what others wrote there.

With our five we write the digest of what they say. Where it fits, nobody else has written since, whatever our rows say
by now, so what we wrote is never read as an instruction; where it does not, somebody instructs us.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from accounts.errors import DomainError
from quotas.kubernetes.manifests import PREFIX

FIELDS = ("subscription", "plan-id", "plan-name", "addons", "suspended-at")
DIGEST = f"{PREFIX}written-by-billing"
MOST_TEXT = 20_000


class InstructionInvalid(DomainError):
    code = "instruction_invalid"


@dataclass(frozen=True)
class Standing:
    """What an organization is subscribed to, as its annotations tell it."""

    status: str
    plan_id: str
    plan_name: str
    addons: tuple[tuple[str, int], ...] = ()
    suspended_at: datetime | None = None


@dataclass(frozen=True)
class Instruction:
    """What somebody wishes in the cluster. Since when is ours to say: a grace counts from when we were told."""

    status: str
    plan_id: str
    addons: tuple[tuple[str, int], ...]


def written(standing: Standing | None) -> dict[str, str | None]:
    """Our annotations for a merge patch: None removes one. Without a subscription all go."""
    values = {} if standing is None else _texts(standing)
    ours: dict[str, str | None] = {f"{PREFIX}{field}": values.get(field) for field in FIELDS}
    return {**ours, DIGEST: digest(values) if values else None}


def digest(values: Mapping[str, str]) -> str:
    """What the five say, in 16 hex digits of SHA-256."""
    said = {field: values[field] for field in FIELDS if field in values}
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def said(annotations: Mapping[str, str] | None) -> dict[str, str]:
    """The five as they stand on an object."""
    return {field: annotations[key] for field in FIELDS if annotations and (key := f"{PREFIX}{field}") in annotations}


def instructs(annotations: Mapping[str, str] | None) -> bool:
    """Whether somebody else wrote them: they are not what we wrote last."""
    values = said(annotations)
    mark = (annotations or {}).get(DIGEST)
    return bool(values or mark) and mark != digest(values)


def instruction(annotations: Mapping[str, str] | None) -> Instruction:
    """What they ask for. Raises InstructionInvalid."""
    values = said(annotations)
    if any(len(value) > MOST_TEXT or "\x00" in value for value in values.values()):
        raise InstructionInvalid("an annotation is longer than any we would write", field="annotations")
    if not values.get("plan-id") or not values.get("subscription"):
        raise InstructionInvalid("write plan-id and subscription; to end a plan, write canceled", field="plan-id")
    return Instruction(values["subscription"], values["plan-id"], _addons(values.get("addons") or "[]"))


def _texts(standing: Standing) -> dict[str, str]:
    addons = [{"addonId": code, "quantity": quantity} for code, quantity in standing.addons]
    texts = {
        "subscription": standing.status,
        "plan-id": standing.plan_id,
        "plan-name": standing.plan_name,
        "addons": json.dumps(addons, separators=(",", ":")),
    }
    if standing.suspended_at:
        texts["suspended-at"] = standing.suspended_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return texts


def _addons(text: str) -> tuple[tuple[str, int], ...]:
    try:
        found = [_addon(entry) for entry in json.loads(text)]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InstructionInvalid('write [{"addonId": "turbo-x1", "quantity": 1}]', field="addons") from None
    if len({code for code, _ in found}) != len(found):
        raise InstructionInvalid("an add-on is named twice", field="addons")
    return tuple(sorted(found))


def _addon(entry: Any) -> tuple[str, int]:
    code, quantity = entry["addonId"], entry["quantity"]
    if not isinstance(code, str) or type(quantity) is not int or not 1 <= quantity <= 100_000:
        raise ValueError(code)
    return code, quantity
