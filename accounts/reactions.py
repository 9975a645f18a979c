"""Reactions: how a room to the right follows an act of a room to the left, in the act's own transaction.

A right room registers in its AppConfig.ready(). What may happen later goes through the outbox instead.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

Reaction = Callable[..., object]

_reactions: defaultdict[str, list[Reaction]] = defaultdict(list)


def register(act: str, reaction: Reaction) -> None:
    """Call `reaction(**facts)` at the end of every `act`; registering it twice has no effect."""
    if reaction not in _reactions[act]:
        _reactions[act].append(reaction)


def follow(act: str, **facts: Any) -> None:
    """Let the rooms to the right follow; what they raise undoes the act."""
    for reaction in _reactions[act]:
        reaction(**facts)
