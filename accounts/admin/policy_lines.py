"""The keys of a page about policies: what is in force for the subject, from where, and which scopes were asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.admin.policy_links import link, named, place_link, source_words
from accounts.policy_chain import Chain, Step
from accounts.policy_keys import PolicyKey
from accounts.policy_scopes import WORDS, Subject
from accounts.policy_text import show_raw, show_value

GROUPS = {
    "billing": "Billing",
    "allocation": "Allocations",
    "notification": "Notifications",
    "accounts": "Accounts",
    "quotas": "Quotas",
    "invoicing": "Invoicing",
    "dunning": "Dunning",
    "approvals": "Approvals",
}


@dataclass(frozen=True)
class Shown:
    """A value as people read it, and as it is kept."""

    text: str
    raw: str


@dataclass(frozen=True)
class Asked:
    """A scope that was asked, for the page."""

    words: str
    value: Shown | None
    answered: bool
    note: str
    url: str


@dataclass(frozen=True)
class Line:
    """A key on a page."""

    key: PolicyKey
    in_force: Shown
    source: str
    source_url: str
    since: datetime | None
    own: Shown | None
    asked: list[Asked]
    set_url: str
    unset_url: str
    changes_url: str


def lines_of(chains: Iterable[Chain]) -> list[Line]:
    """The subjects that values come from are looked up once for a page."""
    chains = list(chains)
    places = {(step.scope, step.scope_id) for chain in chains for step in chain.steps}
    subjects = {place: named(*place) for place in places}
    return [_line(chain, subjects) for chain in chains]


def _line(chain: Chain, subjects: Mapping[tuple[str, int | None], Subject | None]) -> Line:
    key, subject, found = chain.key, chain.subject, chain.effective
    source, row = subjects[found.scope, found.scope_id], chain.answer.row
    return Line(
        key=key,
        in_force=shown(key, found.value, subject.currency),
        source=source_words(found, subject, source),
        source_url=place_link(source, key) if source else "",
        since=row.updated_at if row else None,
        own=shown(key, chain.own.value, subject.currency) if chain.own else None,
        asked=[_asked(chain, step, subjects[step.scope, step.scope_id]) for step in chain.steps],
        set_url=link("set", subject.public_id, key.name),
        unset_url=link("unset", subject.public_id, key.name) if chain.own else "",
        changes_url=link("changes", subject.public_id, key.name),
    )


def _asked(chain: Chain, step: Step, subject: Subject | None) -> Asked:
    value = step.row.value if step.row else chain.key.default if step.scope == "default" else None
    return Asked(
        words=str(subject) if subject else WORDS[step.scope],
        value=None if value is None else shown(chain.key, value, chain.subject.currency),
        answered=step.answered,
        note=f"for {value['currency']} alone" if step.other_currency and isinstance(value, dict) else "",
        url=place_link(subject, chain.key) if subject else "",
    )


def shown(key: PolicyKey, value: Any, currency: str | None) -> Shown:
    return Shown(show_value(key, value, currency), show_raw(value))


def grouped(lines: Iterable[Line]) -> list[tuple[str, list[Line]]]:
    lines = list(lines)
    groups = ((title, [line for line in lines if line.key.group == word]) for word, title in GROUPS.items())
    return [(title, found) for title, found in groups if found]
