"""Public ids: a prefix and the key in 13 digits of Crockford base32, so that they sort as the keys do."""

from typing import ClassVar

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 13
_MAXIMUM = 2**63 - 1


def encode(prefix: str, key: int) -> str:
    """`encode("ba", 7)` is `ba_0000000000007`."""
    digits = []
    for _ in range(_LENGTH):
        key, digit = divmod(key, 32)
        digits.append(_ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(digits))}"


def decode(prefix: str, public_id: str) -> int | None:
    """The key, or None where the text is no id of this kind."""
    head, separator, digits = public_id.partition("_")
    if head != prefix or not separator or len(digits) != _LENGTH:
        return None
    key = 0
    for digit in digits:
        value = _ALPHABET.find(digit)
        if value < 0:
            return None
        key = key * 32 + value
    return key if 0 < key <= _MAXIMUM else None


class PublicId:
    """Mixin of models that outsiders name by `public_id`."""

    PUBLIC_PREFIX: ClassVar[str]
    pk: int

    @property
    def public_id(self) -> str:
        return encode(self.PUBLIC_PREFIX, self.pk)
