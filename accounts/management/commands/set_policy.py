"""Set a policy for one scope, or take it back with --unset; keys that guard money wait for a second person."""

from argparse import ArgumentParser
from typing import Any

from accounts import approvals, policy_approval
from accounts.act_commands import ActCommand, Options
from accounts.admin.act_pages import Done, waiting
from accounts.admin.policy_links import link
from accounts.admin.policy_previews import preview_set, preview_unset
from accounts.admin.previews import Preview, with_fact
from accounts.clock import now
from accounts.errors import DomainError, PolicyInvalid
from accounts.models import User
from accounts.policy_keys import known, takes
from accounts.policy_scopes import subject_id
from accounts.policy_text import typed


class Command(ActCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", help="such as billing.window_seconds")
        parser.add_argument("value", nargs="?", help="60; true; 80, 95; waive; minor units: 10000 or 10000 USD")
        parser.add_argument("--scope", required=True, help="user, project, tenant, plan or global")
        parser.add_argument("--subject", default="", help="whose value: usr_…, prj_…, org_…; none for global")
        parser.add_argument("--reason", required=True, help="kept with the act for the auditors")
        parser.add_argument("--unset", action="store_true", help="take the value back to the wider scope")
        super().add_arguments(parser)

    def preview(self, options: Options) -> Preview:
        proposal = _proposal(options)
        shown = preview_unset(proposal) if options["unset"] else preview_set(proposal)
        return with_fact(shown, "Reason", options["reason"])

    def perform(self, options: Options, user: User) -> Done:
        act = policy_approval.UNSET_ACT if options["unset"] else policy_approval.ACT
        outcome = approvals.submit(act, _proposal(options), maker=user, reason=options["reason"], at=now())
        if outcome.request:
            return waiting(outcome.request.pk)
        message = f"{options['key']} is {'unset' if options['unset'] else 'set'}: in force at once."
        return Done(link("of", options["subject"]), message, result=outcome.result or {})


def _proposal(options: Options) -> dict[str, Any]:
    """The act as asked, typed. Raises PolicyInvalid, NotFound."""
    key = known(options["key"])
    if options["unset"] == (options["value"] is not None):
        raise PolicyInvalid(f"give a value or --unset: {key.name} takes {takes(key)}")
    try:
        scope_id = subject_id(options["scope"], options["subject"].strip())
    except DomainError as error:
        error.field = "subject" if error.field == "scope_id" else error.field
        raise
    place = {"key": key.name, "scope": options["scope"], "scope_id": scope_id}
    return place if options["unset"] else {**place, "value": typed(key, options["value"])}
