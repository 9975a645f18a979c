"""Which scopes were asked for a value, and which one answered: for pages and commands that explain it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from accounts.errors import PolicyInvalid
from accounts.models import PolicyValue
from accounts.policy import Effective, answers, resolve, rows_of
from accounts.policy_keys import KEYS, PolicyKey, known
from accounts.policy_scopes import Subject
from accounts.policy_subjects import find

UNSET = object()


@dataclass(frozen=True)
class Step:
    """A scope that was asked. `answered` marks the one whose value is in force; the default has no row."""

    scope: str
    scope_id: int | None
    row: PolicyValue | None
    answered: bool
    other_currency: bool


@dataclass(frozen=True)
class Chain:
    """The value in force for a subject, most specific scope first, the default last."""

    key: PolicyKey
    subject: Subject
    effective: Effective
    steps: tuple[Step, ...]

    @property
    def answer(self) -> Step:
        return next(step for step in self.steps if step.answered)

    @property
    def own(self) -> PolicyValue | None:
        """What is set for exactly this subject."""
        return next((step.row for step in self.steps if (step.scope, step.scope_id) == self.subject.own), None)

    def after(self, value: Any) -> Effective:
        """What would be in force if the subject's own value were this, or UNSET."""
        values = {(step.scope, step.scope_id): step.row.value for step in self.steps if step.row}
        if self.subject.own:
            values[self.subject.own] = value
            if value is UNSET:
                del values[self.subject.own]
        return resolve(self.key, values, self.subject.scope, self.subject.currency)


def chain_for(key: str, public_id: str) -> Chain:
    """Raises PolicyInvalid (unknown key, or a scope it does not have), NotFound."""
    policy_key, subject = known(key), find(public_id)
    if subject.own is None:
        raise PolicyInvalid(f"a {subject.word} has no policies of its own; its organization has", field="subject")
    if subject.own[0] not in policy_key.scopes:
        raise PolicyInvalid(f"{key} has no {subject.own[0]} scope", field="scope")
    return chain_of(policy_key, subject)


def chain_of(key: PolicyKey, subject: Subject) -> Chain:
    """The chain of one key, in one query."""
    return chains_of(subject, [key])[0]


def chains_of(subject: Subject, keys: Iterable[PolicyKey] = ()) -> list[Chain]:
    """The chains of these keys, or of all, in one query."""
    wanted = list(keys) or list(KEYS.values())
    rows: dict[str, dict[tuple[str, int | None], PolicyValue]] = {key.name: {} for key in wanted}
    for row in rows_of(list(rows), subject.scope):
        rows[row.key][row.scope, row.scope_id] = row
    return [_chain(key, subject, rows[key.name]) for key in wanted]


def _chain(key: PolicyKey, subject: Subject, rows: dict[tuple[str, int | None], PolicyValue]) -> Chain:
    values = {place: row.value for place, row in rows.items()}
    found = resolve(key, values, subject.scope, subject.currency)
    steps = [
        Step(
            *place,
            rows.get(place),
            answered=place == (found.scope, found.scope_id),
            other_currency=place in rows and not answers(values[place], subject.currency),
        )
        for place in subject.scope.candidates()
        if place[0] in key.scopes
    ]
    default = Step("default", None, None, answered=found.scope == "default", other_currency=False)
    return Chain(key, subject, found, (*steps, default))
