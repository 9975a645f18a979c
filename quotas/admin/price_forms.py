"""What the forms of the price book have in common."""

from datetime import datetime
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.clock import now, parse_moment
from accounts.errors import DomainError
from quotas.pricing.json_text import LONGEST, read_json

CODE_HINT = "Lower-case letters, digits and -; under it, it is found."
MOMENT_HINT = "With its time zone: 2026-04-01T00:00:00Z."


def document_field() -> forms.CharField:
    """A price as JSON; `read_document` reads it."""
    return forms.CharField(
        label="Price",
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10, "class": "code", "spellcheck": "false"}),
        help_text='JSON without currency and metric: {"flat": "2.50"}. Of a fee: {"amount": "10.00"}. '
        "Try it in the price calculator first.",
    )


def read_document(text: str) -> Any:
    """The JSON of a price. Raises DomainError (`json_invalid`) on its field."""
    try:
        return read_json(text)
    except DomainError as error:
        raise DomainError(error.detail, field="document", code=error.code) from error


def words_of(text: str) -> list[str]:
    """Words with commas between them."""
    return [word.strip() for word in text.split(",") if word.strip()]


def moment_or_now(text: str, field: str) -> datetime:
    """A moment as typed; now where nothing is. Raises TimeInvalid."""
    return parse_moment(text, field=field) if text else now()


def whole_number(text: str, field: str) -> int | None:
    """A whole number as typed; None where nothing is. Raises DomainError (`number_invalid`)."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise DomainError("write a whole number", field=field, code="number_invalid")
    return int(text)
