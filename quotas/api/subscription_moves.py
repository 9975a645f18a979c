"""What staff do to the state of a subscription: an address for each of quotas.staff_moves."""

from datetime import datetime
from typing import Any

from accounts.abilities import READ_BILLING
from accounts.api.naming import named
from accounts.api.operations import act
from accounts.api.reasons import WithReason
from accounts.api.resources import Resource
from quotas.api.subscription_answers import SubscriptionOut, told
from quotas.api.subscriptions import subscriptions_of
from quotas.staff_moves import move_by_staff

SUMMARIES = {
    "cancel": "Cancel a subscription at the end of its period",
    "keep": "Take the cancellation of a subscription back",
    "overdue": "Mark a subscription past due",
    "paid": "Mark a subscription paid",
    "suspend": "Suspend a subscription",
    "resubscribe": "Subscribe again",
}


def view_of(name: str) -> type[Resource]:
    """The view of one move."""

    class Move(Resource):
        @act(SUMMARIES[name], needs=READ_BILLING, staff="operate", takes=WithReason, answers=SubscriptionOut)
        def post(self, given: dict[str, Any], *, at: datetime, subscription: str) -> dict[str, Any]:
            """For finance-operators."""
            self.caller.require_staff("operate")
            found = named(subscriptions_of(self.caller), subscription, what="subscription")
            return told([move_by_staff(found.pk, name, **given, actor=self.caller.actor, at=at)])[0]

    return Move
