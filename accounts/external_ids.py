"""The id that the platform itself has for a thing of ours: kept as given, unique where the thing lives, never read."""

from typing import Any

from django.db import models

from accounts.errors import DomainError

LONGEST = 255


class ExternalIdInvalid(DomainError):
    code = "external_id_invalid"
    field = "external_id"


def external_id_field() -> "models.CharField[Any, Any]":
    return models.CharField(max_length=LONGEST, null=True, blank=True, help_text="The platform's own id of it.")


def check_external_id(text: str | None) -> str | None:
    """1 to 255 visible ASCII characters without a slash, as they stand in an address. Raises ExternalIdInvalid."""
    if text is None:
        return None
    if not 0 < len(text) <= LONGEST or not all("!" <= letter <= "~" and letter != "/" for letter in text):
        raise ExternalIdInvalid(f"an external id has 1 to {LONGEST} visible ASCII characters and no slash")
    return text
