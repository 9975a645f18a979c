"""What people did, in words: the sentence of each audited act. Each room says its own in `activity_words.py`.

Placeholders: {account}, {organization} and {subject} are names that lead to pages, {amount} is what the balance moved
by, {before.x} and {after.x} are what the audit row holds under x.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

KINDS = {
    "account": "Accounts and projects",
    "details": "Terms and details",
    "money": "Money",
    "usage": "Machines and usage",
    "plan": "Plans and prices",
    "policy": "Policies",
    "access": "Who looked, who may",
}
_PLACES = re.compile(r"\{(account|organization|subject|amount|(?:before|after)\.[a-z_]+)\}")

Named = tuple[str, str]  # what a subject is called, and the address of its page or nothing


@dataclass(frozen=True)
class Words:
    """The rest of a sentence that begins with who did it. `aside` is told on the page of its account only, `internal`
    to staff only."""

    kind: str
    text: str
    aside: bool = False
    internal: bool = False

    @property
    def parts(self) -> list[str]:
        """Plain text and names of places, in turn."""
        return _PLACES.split(self.text)


_words: dict[str, Words] = {}
_subjects: dict[str, Callable[[Collection[int]], Mapping[int, Named]]] = {}


def register(words: Mapping[str, Words]) -> None:
    """A room says its acts; saying the same twice has no effect."""
    _words.update(words)


def register_subject(type_: str, names: Callable[[Collection[int]], Mapping[int, Named]]) -> None:
    """How the subjects of a type are called, many at once."""
    _subjects[type_] = names


def words_of(action: str) -> Words:
    """The words of an act; one that has none is named as it is."""
    return _words.get(action, Words("access", f"did {action}"))


def known() -> frozenset[str]:
    return frozenset(_words)


def asides() -> list[str]:
    return [action for action, words in _words.items() if words.aside]


def internal() -> list[str]:
    return [action for action, words in _words.items() if words.internal]


def of_kind(kind: str) -> list[str]:
    """The acts of a kind."""
    return [action for action, words in _words.items() if words.kind == kind]


def names_of(type_: str, keys: Collection[int]) -> Mapping[int, Named]:
    """What subjects are called; nothing for those of a type that nobody registered."""
    return _subjects[type_](keys) if type_ in _subjects else {}
