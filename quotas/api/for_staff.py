"""What only our staff see."""

from datetime import datetime
from typing import Any

from accounts import approvals
from accounts.api.approval_answers import answer_of
from accounts.api.resources import Resource


class ForStaff(Resource):
    """Read by all of them; acts are the operators'."""

    def require_ability(self, needs: str) -> None:
        self.caller.require_staff("view")

    def by(self, reason: str, at: datetime) -> dict[str, Any]:
        """Who acts, why and when. Raises Forbidden."""
        self.caller.require_staff("operate")
        return {"actor": self.caller.actor, "reason": reason, "at": at}

    def propose(self, act: str, proposal: approvals.Payload, done: Any, *, reason: str, at: datetime) -> Any:
        """Perform it, or file it for a second person. Raises Forbidden and what the act raises."""
        self.caller.require_staff("operate")
        outcome = approvals.submit(act, proposal, maker=self.caller.person(), reason=reason, at=at)
        done.refresh_from_db()
        return answer_of(outcome, done)
