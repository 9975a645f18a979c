"""Policies: the keys there are, the values that are set, and what is in force for whom and why."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.fields import Moment
from accounts.api.operations import listing, reading
from accounts.api.policy_subjects_named import subject_of
from accounts.api.queries import NoQuery, PageQuery, Query
from accounts.api.resources import Resource
from accounts.callers import Caller
from accounts.errors import NotFound
from accounts.models import PolicyScope, PolicyValue
from accounts.policy_chain import Chain, chains_of
from accounts.policy_keys import GLOBAL, KEYS, PolicyKey, takes
from accounts.policy_scopes import Subject, public_id_at
from accounts.policy_subjects import find


class PolicyKeyOut(serializers.Serializer[Any]):
    key = serializers.CharField(source="name")
    kind = serializers.CharField(help_text="int, bool, money, ints, or the words it may be.")
    takes = serializers.SerializerMethodField(help_text="What a value must be, in words.")
    default = serializers.JSONField()
    scopes = serializers.ListField(child=serializers.CharField(), help_text="Most specific first.")
    effect = serializers.CharField()
    needs_approval = serializers.BooleanField(help_text="Whether a second person must agree to a change.")

    def get_takes(self, key: PolicyKey) -> str:
        return takes(key)


class PolicyKeysOut(serializers.Serializer[Any]):
    """All of them: there are no pages."""

    data = PolicyKeyOut(many=True)  # type: ignore[assignment] # the name of every list


class PolicyValueOut(serializers.Serializer[Any]):
    key = serializers.CharField()
    scope = serializers.ChoiceField(choices=PolicyScope.choices)
    subject = serializers.SerializerMethodField(help_text="Public id; null for everyone.")
    value = serializers.JSONField()
    updated_at = Moment()

    def get_subject(self, row: PolicyValue) -> str | None:
        return public_id_at(row.scope, row.scope_id) or None


class AskedOut(serializers.Serializer[Any]):
    scope = serializers.CharField()
    subject = serializers.CharField(allow_null=True)
    value = serializers.JSONField(allow_null=True)
    set_at = Moment(allow_null=True)
    in_force = serializers.BooleanField()


class InForceOut(serializers.Serializer[Any]):
    key = serializers.CharField()
    value = serializers.JSONField()
    scope = serializers.CharField(help_text="Where it comes from; `default` where nobody set one.")
    subject = serializers.CharField(allow_null=True, help_text="For whom it is set there.")
    asked = AskedOut(many=True, allow_null=True, help_text="Every scope that was asked; for staff.")


class PoliciesInForceOut(serializers.Serializer[Any]):
    subject = serializers.CharField(allow_null=True, help_text="Null for everyone.")
    currency = serializers.CharField(allow_null=True, help_text="Whose money without a currency is meant.")
    policies = InForceOut(many=True)


class ValueQuery(PageQuery):
    key = serializers.ChoiceField(choices=sorted(KEYS), required=False)
    scope = serializers.ChoiceField(choices=PolicyScope.choices, required=False)
    subject = serializers.CharField(required=False, help_text="Public id of a person, project, organization or plan.")


class SubjectQuery(Query):
    subject = serializers.CharField(
        required=False, help_text="Public id of a person, project, organization, account, or plan; none for everyone."
    )
    key = serializers.ChoiceField(choices=sorted(KEYS), required=False)


@dataclass(frozen=True)
class _Keys:
    data: list[PolicyKey]


class PolicyKeys(Resource):
    @reading("List the policy keys", needs=READ_BILLING, answers=PolicyKeysOut, query=NoQuery)
    def get(self) -> _Keys:
        return _Keys(_told(self.caller))


class PolicyValues(Resource):
    @listing("List the values that are set", needs=READ_BILLING, answers=PolicyValueOut, query=ValueQuery)
    def get(self, subject: str | None = None, **filters: str) -> QuerySet[PolicyValue]:
        """For staff."""
        self.caller.require_everywhere(READ_BILLING)
        rows = PolicyValue.objects.filter(**filters)
        if subject is None:
            return rows
        scope, scope_id = find(subject).own or ("", None)
        return rows.filter(scope=scope, scope_id=scope_id)


class PoliciesInForce(Resource):
    @reading("Get what is in force", needs=READ_BILLING, answers=PoliciesInForceOut, query=SubjectQuery)
    def get(self, subject: str = "", key: str = "") -> dict[str, Any]:
        """For a person, project, organization or account, and where each value comes from. Customers ask for their own,
        and are told of the keys that can be set for them."""
        found = subject_of(self.caller, subject)
        wanted = [one for one in _told(self.caller) if key in ("", one.name)]
        if not wanted:
            raise NotFound("no such policy")
        chains = chains_of(found, wanted)
        return in_force(found, chains, for_staff=bool(self.caller.staff))


def in_force(subject: Subject, chains: list[Chain], *, for_staff: bool) -> dict[str, Any]:
    return {
        "subject": subject.public_id or None,
        "currency": subject.currency,
        "policies": [_in_force(chain, for_staff) for chain in chains],
    }


def _in_force(chain: Chain, for_staff: bool) -> dict[str, Any]:
    found = chain.effective
    asked = [
        {
            "scope": step.scope,
            "subject": public_id_at(step.scope, step.scope_id) or None,
            "value": step.row.value if step.row else chain.key.default if step.scope == "default" else None,
            "set_at": step.row.updated_at if step.row else None,
            "in_force": step.answered,
        }
        for step in chain.steps
    ]
    source = {"scope": found.scope, "subject": public_id_at(found.scope, found.scope_id) or None}
    return {"key": chain.key.name, "value": found.value, **source, "asked": asked if for_staff else None}


def _told(caller: Caller) -> list[PolicyKey]:
    """Keys that hold for us alone are told to staff and the platform alone."""
    return [key for key in KEYS.values() if caller.everywhere or key.scopes != GLOBAL]
