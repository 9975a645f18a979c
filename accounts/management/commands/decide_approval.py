"""Approve (and so perform) or reject an act that waits for a second person. Whoever asked cannot decide."""

from argparse import ArgumentParser

from accounts import approvals
from accounts.act_commands import ActCommand, Options
from accounts.admin.act_pages import Done
from accounts.admin.previews import Preview, preview_of, with_fact
from accounts.clock import now
from accounts.errors import DomainError, NotFound
from accounts.models import ApprovalRequest, User
from accounts.public_ids import decode


class DecisionInvalid(DomainError):
    code = "decision_invalid"
    field = "decision"


class Command(ActCommand):
    help = __doc__
    ability = "approve"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("decision", help="approve or reject")
        parser.add_argument("request", help="its id: apr_…")
        parser.add_argument("--note", default="", help="why; it is kept with the decision")
        super().add_arguments(parser)

    def preview(self, options: Options) -> Preview:
        asked = _asked(options["request"])
        shown = preview_of(asked.act, asked.payload) or Preview([])
        return with_fact(with_fact(shown, "Asks", asked.summary), "Why", asked.reason)

    def perform(self, options: Options, user: User) -> Done:
        if options["decision"] not in ("approve", "reject"):
            raise DecisionInvalid("say whether you approve or reject")
        approve = options["decision"] == "approve"
        asked = _asked(options["request"])
        decided = approvals.decide(asked.pk, checker=user, approve=approve, note=options["note"], at=now())
        message = "Approved and done." if approve else "Rejected; nothing was done."
        result = {"approval": decided.public_id, "state": str(decided.state), "result": decided.result}
        return Done("", message, result=result)


def _asked(public_id: str) -> ApprovalRequest:
    key = decode(ApprovalRequest.PUBLIC_PREFIX, public_id.strip())
    asked = ApprovalRequest.objects.filter(pk=key).first() if key else None
    if asked is None:
        raise NotFound("no such approval request", field="request")
    return asked
