"""Names people give: of organizations, projects and accounts, and the short names that addresses and programs use."""

import re

from accounts.errors import DomainError

LONGEST = 256
_SLUG = re.compile(r"[a-z0-9][-a-z0-9_]{0,62}", re.ASCII)


class NameInvalid(DomainError):
    code = "name_invalid"
    field = "name"


def check_name(text: str, *, field: str = "name", longest: int = LONGEST) -> str:
    """A name of 1 to `longest` characters on one line, trimmed. Raises NameInvalid."""
    name = text.strip()
    if not 0 < len(name) <= longest or not name.isprintable():
        raise NameInvalid(f"give a name of 1 to {longest} characters on one line", field=field)
    return name


def check_line(text: str, *, field: str, longest: int) -> str:
    """As a name, but it may be empty. Raises NameInvalid."""
    return check_name(text, field=field, longest=longest) if text.strip() else ""


def check_slug(text: str) -> str:
    """A short name of at most 63 lower-case letters, digits, - and _, beginning with a letter or digit.

    Raises NameInvalid.
    """
    if not _SLUG.fullmatch(text):
        raise NameInvalid("a short name is up to 63 of a-z, 0-9, - and _", field="slug", code="slug_invalid")
    return text
