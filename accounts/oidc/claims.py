"""What a token says of its bearer: the claims of seed 001 (`org`, `namespaces`, `groups`), and who they are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.addresses import EmailInvalid, check_email
from accounts.errors import DomainError, Forbidden
from accounts.models import OrganizationRole
from accounts.names import NameInvalid, check_slug

LONGEST_SUBJECT = 255
_SLUG = re.compile(r"[a-z0-9][-a-z0-9_]{0,62}", re.ASCII)


class TokenRefused(DomainError):
    """`code` is one of token_invalid, token_expired, token_not_yet_valid."""

    code = "token_invalid"
    status = 401


@dataclass(frozen=True)
class Claims:
    subject: str
    organization: str  # its short name
    role: str
    projects: tuple[str, ...]  # their short names
    email: str = ""


def read(payload: Mapping[str, Any]) -> Claims:
    """The claims of a token whose signature holds. Raises TokenRefused, Forbidden (`organization_required`)."""
    subject, organization = payload["sub"], payload.get("org")
    if not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise TokenRefused("the token names nobody")
    if organization is None:
        raise Forbidden("the token names no organization", code="organization_required")
    try:
        slug = check_slug(organization) if isinstance(organization, str) else check_slug("")
    except NameInvalid:
        raise TokenRefused("the token's organization is none") from None
    namespaces = _words(payload, "namespaces")
    projects = {name.removeprefix(f"{slug}-") for name in namespaces if name != slug}  # its own is no project's
    fine = sorted(name for name in projects if _SLUG.fullmatch(name))
    return Claims(subject, slug, _role(_words(payload, "groups")), tuple(fine), _email(payload.get("email")))


def _role(groups: list[str]) -> str:
    """The highest of the groups that are roles; nobody in none of them is more than a guest."""
    return next((role for role in OrganizationRole.values if role in groups), OrganizationRole.GUEST.value)


def _words(payload: Mapping[str, Any], name: str) -> list[str]:
    found = payload.get(name, [])
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise TokenRefused(f"the token's {name} are no list of words")
    return found


def _email(claimed: object) -> str:
    """The address where it is one; a token needs none."""
    try:
        return check_email(claimed).lower() if isinstance(claimed, str) else ""
    except EmailInvalid:
        return ""
