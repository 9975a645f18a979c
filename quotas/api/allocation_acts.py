"""What is done to an allocation: activate, resize, release, and the platform's word that it is gone."""

from datetime import datetime
from typing import Any

from accounts.abilities import CONFIRM_RELEASES, USE_PROJECTS
from accounts.api.fields import Body, DecimalText, Moment, Text
from accounts.api.naming import named
from accounts.api.operations import act
from accounts.api.resources import Resource
from accounts.callers import Caller
from quotas import allocations
from quotas.api.allocation_answers import AllocationOut, told
from quotas.api.reach import reachable
from quotas.models import Allocation


class Reason(Body):
    reason = Text(required=False)


class Resize(Reason):
    quantity = DecimalText()


class Completed(Reason):
    completed_at = Moment(help_text="When it was gone; not in the future.")


class Activate(Resource):
    @act("Activate an allocation", needs=USE_PROJECTS, takes=Reason, answers=AllocationOut)
    def post(self, given: dict[str, Any], *, at: datetime, allocation: str) -> dict[str, Any]:
        """Start charging one that was only requested."""
        found = allocation_to(self.caller, USE_PROJECTS, allocation)
        return told([allocations.activate(found.pk, **given, actor=self.caller.actor, at=at)])[0]


class ResizeOne(Resource):
    @act("Resize an allocation", needs=USE_PROJECTS, takes=Resize, answers=AllocationOut)
    def post(self, given: dict[str, Any], *, at: datetime, allocation: str) -> dict[str, Any]:
        """Another quantity from now on."""
        found = allocation_to(self.caller, USE_PROJECTS, allocation)
        return told([allocations.resize(found.pk, **given, actor=self.caller.actor, at=at)])[0]


class Release(Resource):
    @act("Request the release of an allocation", needs=USE_PROJECTS, takes=Reason, answers=AllocationOut)
    def post(self, given: dict[str, Any], *, at: datetime, allocation: str) -> dict[str, Any]:
        """Charged until the platform says that it is gone. Asking again changes nothing."""
        found = allocation_to(self.caller, USE_PROJECTS, allocation)
        return told([allocations.request_release(found.pk, **given, actor=self.caller.actor, at=at)])[0]


class CompleteRelease(Resource):
    @act("Say that an allocation is gone", needs=CONFIRM_RELEASES, takes=Completed, answers=AllocationOut)
    def post(self, given: dict[str, Any], *, at: datetime, allocation: str) -> dict[str, Any]:
        """`releasing.completed`: charging ends at `completed_at`. Told late, what was billed beyond it is credited.

        The same moment again changes nothing.
        """
        found = allocation_to(self.caller, CONFIRM_RELEASES, allocation)
        return told([allocations.complete_release(found.pk, **given, actor=self.caller.actor, at=at)])[0]


def allocation_to(caller: Caller, ability: str, text: str) -> Allocation:
    """One that the caller may act upon. Raises NotFound, Forbidden."""
    found = named(reachable(Allocation.objects.all(), caller, project="project_id"), text, what="allocation")
    caller.require(ability, found.organization_id, found.project_id, what="allocation")
    return found
