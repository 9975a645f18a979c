"""Which request, task or command a row belongs to: one id, bound at the door, written by every act."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("correlation_id", default=None)
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)


def new_correlation_id() -> str:
    return uuid.uuid4().hex


def is_safe(token: str) -> bool:
    """Whether a caller's token may be written as it is: 1 to 64 letters, digits and `._:-`."""
    return _SAFE.fullmatch(token) is not None


def bound_correlation_id() -> str | None:
    """The bound id, or nothing where no door has bound one."""
    return _current.get()


def current_correlation_id() -> str:
    """The bound id. Outside any door one is made and kept, so that all rows of one act carry the same."""
    current = _current.get()
    if current is None:
        current = new_correlation_id()
        _current.set(current)
    return current


@contextmanager
def bind(correlation_id: str | None = None) -> Iterator[str]:
    """Bind an id, or a new one, for the block; the one before returns after. Raises ValueError if unsafe."""
    if correlation_id is not None and not is_safe(correlation_id):
        raise ValueError("a correlation id is 1 to 64 letters, digits and ._:-")
    bound = correlation_id or new_correlation_id()
    token = _current.set(bound)
    try:
        yield bound
    finally:
        _current.reset(token)
