"""Policies: which value is in force for a subject, and where it comes from. Nothing is cached: a change is at once.

Scopes are asked user, project, tenant, plan, global; where none answers, the shipped default is in force.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from accounts import prepared
from accounts.models import PolicyValue
from accounts.policy_changes import SET_ACT, UNSET_ACT, on_change, set_value, unset_value
from accounts.policy_keys import PolicyKey, check_value, known
from accounts.policy_scopes import Scope, account_scope, register_subject

__all__ = [
    "GLOBAL",
    "SET_ACT",
    "UNSET_ACT",
    "Effective",
    "Scope",
    "account_scope",
    "answers",
    "check_value",
    "effective",
    "effective_many",
    "explain",
    "on_change",
    "register_subject",
    "resolve",
    "rows_of",
    "set_value",
    "unset_value",
    "within_limit",
]

GLOBAL = Scope()


@dataclass(frozen=True)
class Effective:
    """A value in force and the scope it comes from (`default` where nobody set one)."""

    value: Any
    scope: str
    scope_id: int | None


def explain(key: str, scope: Scope = GLOBAL, *, currency: str | None = None) -> Effective:
    """The value in force and its source; with a currency, money comes as minor units of it. Raises PolicyInvalid."""
    policy_key = known(key)
    return resolve(policy_key, _values([key], [scope])[key], scope, currency)


def effective(key: str, scope: Scope = GLOBAL, *, currency: str | None = None) -> Any:
    """The value in force. Raises PolicyInvalid for an unknown key."""
    return explain(key, scope, currency=currency).value


# Prepared, because every act on a prepaid balance asks for its terms.
_SET = """
SELECT key, scope, scope_id, value FROM policy_values
WHERE key = ANY(%s::text[])
  AND (scope = 'global' OR (scope, scope_id) IN (SELECT * FROM unnest(%s::text[], %s::bigint[])))
"""


def effective_many(keys: Sequence[str], subjects: Mapping[int, tuple[Scope, str]]) -> dict[int, dict[str, Any]]:
    """The values in force for many subjects in one query, by the subjects' own ids; each with its scope and currency.

    A monetary value comes as minor units of the subject's currency. Raises PolicyInvalid for an unknown key.
    """
    wanted = [known(key) for key in keys]
    values = _values(keys, [scope for scope, _ in subjects.values()])
    return {
        subject: {key.name: resolve(key, values[key.name], scope, currency).value for key in wanted}
        for subject, (scope, currency) in subjects.items()
    }


def _values(keys: Sequence[str], scopes: Iterable[Scope]) -> Mapping[str, dict[tuple[str, int | None], Any]]:
    """What is set of these keys where any of the scopes would look, by key and place."""
    places = {place for scope in scopes for place in scope.candidates() if place[1] is not None}
    names, ids = [name for name, _ in places], [scope_id for _, scope_id in places]
    values: defaultdict[str, dict[tuple[str, int | None], Any]] = defaultdict(dict)
    for key, name, scope_id, value in prepared.rows(_SET, [list(keys), names, ids]):
        values[key][name, scope_id] = json.loads(value)
    return values


def within_limit(key: str, amount_minor: int, currency: str, scope: Scope = GLOBAL) -> bool:
    """Whether |amount| stays at or below a money policy; a limit in another currency lets nothing pass."""
    limit = effective(key, scope)
    if isinstance(limit, dict):
        return bool(limit["currency"] == currency and abs(amount_minor) <= limit["amount_minor"])
    return bool(abs(amount_minor) <= limit)


def rows_of(keys: Sequence[str], scope: Scope) -> list[PolicyValue]:
    """What is set of these keys where the scope would look, in one query."""
    places = [Q(scope=name, scope_id=scope_id) for name, scope_id in scope.candidates()]
    return list(PolicyValue.objects.filter(reduce(or_, places), key__in=keys))


def resolve(
    key: PolicyKey, values: Mapping[tuple[str, int | None], Any], scope: Scope, currency: str | None
) -> Effective:
    """The most specific of the values that answers; the default where none does."""
    for candidate in scope.candidates():
        if candidate[0] not in key.scopes or candidate not in values:
            continue
        value = values[candidate]
        if answers(value, currency):
            plain = currency is not None and isinstance(value, dict)
            return Effective(value["amount_minor"] if plain else value, *candidate)
    return Effective(key.default, "default", None)


def answers(value: Any, currency: str | None) -> bool:
    """Money that names a currency applies to subjects of that currency alone."""
    return currency is None or not isinstance(value, dict) or value["currency"] == currency
