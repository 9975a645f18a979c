"""One policy value: the key and whom it is set for stand in its address. Staff set and unset it."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from accounts import approvals, policy_approval
from accounts.abilities import READ_BILLING, WRITE_BILLING
from accounts.api.approval_answers import WaitingOut, waiting
from accounts.api.operations import act, reading
from accounts.api.policies import InForceOut, PolicyValueOut, in_force
from accounts.api.reasons import WithReason
from accounts.api.resources import Resource
from accounts.errors import NotFound
from accounts.models import PolicyValue
from accounts.policy_chain import Chain, chain_for
from accounts.policy_keys import KEYS

EVERYONE = "everyone"


class SetValue(WithReason):
    value = serializers.JSONField(help_text="Of the key's kind; money in minor units, with or without its currency.")


class OnePolicyValue(Resource):
    @reading("Get a value that is set", needs=READ_BILLING, answers=PolicyValueOut)
    def get(self, key: str, subject: str) -> PolicyValue:
        """For staff. `everyone` in place of a public id is the value for all."""
        self.caller.require_everywhere(READ_BILLING)
        row = _chain(key, subject).own
        if row is None:
            raise NotFound("nothing is set here")
        return row

    @act(
        "Set a policy",
        needs=WRITE_BILLING,
        staff="operate",
        takes=SetValue,
        answers=PolicyValueOut,
        versioned=True,
        also={202: WaitingOut},
    )
    def put(self, given: dict[str, Any], *, at: datetime, key: str, subject: str) -> Any:
        """For staff; in force at the next read. A key that guards money waits for a second person."""
        outcome = self._submit(policy_approval.ACT, {"value": given["value"]}, given["reason"], at, key, subject)
        return waiting(outcome.request) if outcome.request else _chain(key, subject).own

    @act(
        "Unset a policy",
        needs=WRITE_BILLING,
        staff="operate",
        takes=WithReason,
        answers=InForceOut,
        versioned=True,
        also={202: WaitingOut},
    )
    def delete(self, given: dict[str, Any], *, at: datetime, key: str, subject: str) -> Any:
        """For staff; the value of the wider scope is in force again. A key that guards money waits for a second
        person."""
        outcome = self._submit(policy_approval.UNSET_ACT, {}, given["reason"], at, key, subject)
        if outcome.request:
            return waiting(outcome.request)
        chain = _chain(key, subject)
        return in_force(chain.subject, [chain], for_staff=True)["policies"][0]

    def lock(self, **url: str) -> None:
        own = _chain(url["key"], url["subject"]).own
        if own:
            PolicyValue.objects.select_for_update().filter(pk=own.pk).first()

    def represent(self, **url: str) -> Any:
        own = _chain(url["key"], url["subject"]).own
        return PolicyValueOut(own).data if own else None

    def _submit(
        self, act_name: str, value: dict[str, Any], reason: str, at: datetime, key: str, subject: str
    ) -> approvals.Outcome:
        scope, scope_id = _chain(key, subject).subject.own or ("", None)
        proposal = {"key": key, "scope": str(scope), "scope_id": scope_id, **value}
        return approvals.submit(act_name, proposal, maker=self.caller.person(), reason=reason, at=at)


def _chain(key: str, subject: str) -> Chain:
    """Raises NotFound, PolicyInvalid (the key has no values for such a subject)."""
    if key not in KEYS:
        raise NotFound("no such policy")
    return chain_for(key, "" if subject == EVERYONE else subject)
