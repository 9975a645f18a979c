"""What people did in an organization or with a billing account, newest first. Its last line is a JSON object."""

from argparse import ArgumentParser
from datetime import UTC
from typing import Any

from accounts.activity import KINDS
from accounts.activity_feed import Feed, of_account, of_organization
from accounts.errors import DomainError, NotFound
from accounts.json_commands import JsonCommand, Options
from accounts.models import BillingAccount, Organization
from accounts.public_ids import decode


class KindUnknown(DomainError):
    code = "kind_unknown"
    field = "kind"


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("subject", help="org_… or ba_…")
        parser.add_argument("--kind", default="", help=f"one of {', '.join(KINDS)} (default: all)")
        parser.add_argument("--below", default="", help="`older` of the page before")

    def answer(self, options: Options) -> dict[str, Any]:
        kind = options["kind"]
        if kind and kind not in KINDS:
            raise KindUnknown(f"a kind is one of {', '.join(KINDS)}")
        feed = _feed(options["subject"].strip(), kind, options["below"])
        lines = [
            {
                "at": line.at.astimezone(UTC).isoformat(),
                "kind": line.kind,
                "who": line.who,
                "did": line.plain,
                "reason": line.reason,
            }
            for line in feed.lines
        ]
        return {"subject": options["subject"].strip(), "lines": lines, "older": feed.older or None}


def _feed(subject: str, kind: str, below: str) -> Feed:
    organization = decode(Organization.PUBLIC_PREFIX, subject)
    if organization and Organization.objects.filter(pk=organization).exists():
        return of_organization(organization, kind=kind, below=below)
    account = decode(BillingAccount.PUBLIC_PREFIX, subject)
    if account and BillingAccount.objects.filter(pk=account).exists():
        return of_account(account, kind=kind, below=below)
    raise NotFound("no such organization or billing account", field="subject")
