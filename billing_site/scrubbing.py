"""What must never reach a log: keys, passwords, tokens, cookies, card numbers, line breaks that forge lines.

`scrub` is the last structlog processor before the renderer, so it sees every event, also those of libraries.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

MASK = "[masked]"
LONGEST_TEXT = 8_192
LONGEST_TRACEBACK = 16_384
# Cut to twice that before the search, so that a huge text costs little and no cut shows half a key.
DEEPEST = 8

_SECRET_WORDS = frozenset(
    {
        *("password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "tokens"),
        *("authorization", "cookie", "cookies", "sessionid", "csrftoken", "csrfmiddlewaretoken"),
        *("cvc", "cvv", "credential", "credentials", "signature"),
    }
)
_SECRET_PAIRS = ("api_key", "apikey", "private_key", "card_number", "access_key", "secret_key", "session_key")
_PARTS = re.compile(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])|[a-z]+")

_NAMES = (
    r"(?:password|passwd|passphrase|secret|token|api[_-]?key|sessionid|session-[0-9a-f]{8}|__Host-session"
    r"|authorization|cvc|cvv)[\w-]{0,40}"
)
_VALUE = r"\\*(?:'[^']*'?|\"[^\"]*\"?|[^\s&'\"]+)"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b((?:sk|rk)_(?:live|test)_|whsec_)[A-Za-z0-9+/=_-]+"), rf"\1{MASK}"),
    (re.compile(r"\b(ch_(?:live|test)_[0-9a-z]{13}_)[A-Za-z0-9_-]+"), rf"\1{MASK}"),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\b((?:set-)?cookie['\"]?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"({_NAMES}\\*['\"]?\s*[:=]\s*){_VALUE}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), rf"\1{MASK}@"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), MASK),
)
_DIGITS = re.compile(r"(?<![0-9A-Za-z])[0-9]+(?:[ -][0-9]+)*(?![0-9A-Za-z])")
_GROUP = re.compile(r"[0-9]+")
# Twice a digit, and the digits of that summed, as Luhn has it.
_DOUBLED = str.maketrans("0123456789", "0246813579")
# C0, DEL, C1 and the Unicode line separators: anything a terminal or a line reader could take for a new line.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_TRACEBACK = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def scrub(_logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with secrets masked, control characters spelled out and every value a plain one."""
    return {_one_line(mask_text(str(key))): _value(str(key), value, 0) for key, value in event.items()}


def mask_text(text: str) -> str:
    """The text with every key, token, password, cookie, URL password and card number replaced."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _DIGITS.sub(lambda found: _mask_cards(found.group()), text)


def names_a_secret(key: str) -> bool:
    lowered = key.lower().replace("-", "_")
    if any(pair in lowered for pair in _SECRET_PAIRS):
        return True
    return any(part.lower() in _SECRET_WORDS for part in _PARTS.findall(key)) or lowered in _SECRET_WORDS


def _value(key: str, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if names_a_secret(key):
        return MASK
    if isinstance(value, int):
        # Amounts are integers as long as a card number; their names say that they are money.
        return value if key.endswith("_minor") or not _is_card(str(value)) else MASK
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _container(key, value, depth)
    return _text(key, _as_text(value))


def _container(key: str, value: Any, depth: int) -> Any:
    if depth >= DEEPEST:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {_one_line(mask_text(str(k))): _value(str(k), v, depth + 1) for k, v in value.items()}
    return [_value(key, item, depth + 1) for item in value]


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    try:
        return str(value)
    except Exception:  # noqa: BLE001 — a broken __str__ must not cost the log line
        return f"<{type(value).__name__}>"


def _text(key: str, text: str) -> str:
    text = mask_text(text[-2 * LONGEST_TRACEBACK :] if key == "exception" else text[: 2 * LONGEST_TEXT])
    if key == "exception":
        return _CONTROL_IN_TRACEBACK.sub(_spelled, text)[-LONGEST_TRACEBACK:]
    return _one_line(text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "… [cut]")


def _one_line(text: str) -> str:
    return _CONTROL.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found.group())
    return {9: r"\t", 10: r"\n", 13: r"\r"}.get(code, f"\\u{code:04x}")


def _mask_cards(text: str) -> str:
    """Groups of digits with single separators: neighbours that together are a card number are masked."""
    groups = [found.span() for found in _GROUP.finditer(text)]
    kept, written, masked_to = [], 0, -1
    for first, (start, _end) in enumerate(groups):
        last = _card_ends(text, groups, first)
        if last is None or last <= masked_to:
            continue
        if first > masked_to:
            kept += [text[written:start], MASK]
        written, masked_to = groups[last][1], last
    return "".join([*kept, text[written:]])


def _card_ends(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The index of the last group with which a card number that begins at `first` can end."""
    start = groups[first][0]
    for last in reversed(range(first, min(first + 19, len(groups)))):
        if _is_card(text[start : groups[last][1]]):
            return last
    return None


def _is_card(text: str) -> bool:
    """13 to 19 digits of a card scheme whose Luhn sum fits; spaces and hyphens do not count."""
    digits = text.replace(" ", "").replace("-", "")
    if not 13 <= len(digits) <= 19 or digits[0] not in "23456":
        return False
    return sum(map(int, digits[-1::-2] + digits[-2::-2].translate(_DOUBLED))) % 10 == 0
