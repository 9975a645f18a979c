"""E-mail addresses as people write them: checked for shape, kept as written."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.errors import DomainError

LONGEST = 254
NO_ADDRESS = "@no-address.invalid"  # of people who came without one; nothing is ever sent there


class EmailInvalid(DomainError):
    code = "email_invalid"
    field = "email"


def check_email(text: str, *, field: str = "email") -> str:
    """An address of at most 254 characters, trimmed. Raises EmailInvalid."""
    address = text.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise EmailInvalid(f"{address[:60]!r} is no e-mail address", field=field) from None
    if len(address) > LONGEST:
        raise EmailInvalid(f"an e-mail address has at most {LONGEST} characters", field=field)
    return address
