"""A catalog of plans that registers itself with the policies, as the room that sells them will."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts import policy_scopes
from accounts.policy import register_subject


@contextmanager
def plan_catalog(*ids: int) -> Iterator[set[int]]:
    """The ids it knows, to be added to; gone again at the end."""
    known = set(ids)
    register_subject("plan", known.__contains__, prefix="pln", name=lambda key: f"Plan {key}")
    try:
        yield known
    finally:
        del policy_scopes._kinds["plan"]
