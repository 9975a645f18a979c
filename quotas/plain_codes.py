"""Codes that staff give to what they make: short, lower case, safe in an address."""

import re

_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


def is_code(text: str) -> bool:
    """1 to 63 lower-case letters, digits and inner hyphens."""
    return bool(_CODE.fullmatch(text))
