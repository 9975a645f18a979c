"""Versions of what was read: the tag of a representation, and whether a writer has seen the newest (RFC 9110)."""

import hashlib
import json
from typing import Any

from accounts.errors import DomainError


class VersionMismatch(DomainError):
    code = "version_mismatch"
    status = 412


def tag_of(representation: Any) -> str:
    text = json.dumps(representation, sort_keys=True, separators=(",", ":"), default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def matches(header: str, tag: str) -> bool:
    """Whether a list of tags, or `*`, names this one."""
    given = [part.strip() for part in header.split(",")]
    return "*" in given or tag in given


def require_match(header: str, representation: Any) -> None:
    """Raises VersionMismatch where somebody changed it meanwhile."""
    if not matches(header, tag_of(representation)):
        raise VersionMismatch("it was changed since you read it; read it again")
