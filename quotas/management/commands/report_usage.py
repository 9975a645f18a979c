"""Say in the platform's place what an organization, or a project of it, has in use, and when that was counted."""

from argparse import ArgumentParser
from typing import Any

from accounts.admin.act_pages import rehearse
from accounts.admin.found_rows import find_organization
from accounts.clock import now, parse_moment
from accounts.json_commands import JsonCommand, Options
from quotas.admin.allocation_start import find_project
from quotas.dimension_words import quantities_of
from quotas.usage_report import Reported, report


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", help="its id, org_…, or its short name")
        parser.add_argument("reading", nargs="+", metavar="DIMENSION=QUANTITY", help="cpu=500m, or cpu=unknown")
        parser.add_argument("--project", default="", help="its id: prj_…; empty: the whole organization")
        parser.add_argument("--reported-at", default="", help="when it was counted; empty means now")
        parser.add_argument("--dry-run", action="store_true", help="rehearse it and write nothing")

    def answer(self, options: Options) -> dict[str, Any]:
        told: dict[str, Any] = {}

        def act() -> None:
            reported = _report(options)
            told.update(taken=reported.taken, outdated=reported.outdated)

        if options["dry_run"]:
            rehearse(act)
        else:
            act()
        return {"dry_run": options["dry_run"], **told}


def _report(options: Options) -> Reported:
    at = now()
    counted = parse_moment(options["reported_at"], field="reported_at") if options["reported_at"] else at
    return report(
        find_organization(options["organization"]),
        quantities_of(options["reading"]),
        project=find_project(options["project"]) if options["project"] else None,
        reported_at=counted,
        at=at,
    )
