"""Would it fit? Quantities on top of what is in use, or what is in use under another plan. Nothing is written."""

from argparse import ArgumentParser
from typing import Any

from accounts.admin.found_rows import find_organization
from accounts.errors import DomainError
from accounts.json_commands import JsonCommand, Options
from quotas.addon_words import addons_of
from quotas.admin.allocation_start import find_project
from quotas.admission import Answer, fits_plan, may_use
from quotas.dimension_words import quantities_of


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", help="its id, org_…, or its short name")
        parser.add_argument("wanted", nargs="*", metavar="DIMENSION=QUANTITY", help="such as cpu=500m")
        parser.add_argument("--project", default="", help="its id: prj_…; empty: the whole organization")
        parser.add_argument("--plan", default="", metavar="ID", help="instead of quantities: another plan")
        parser.add_argument("--addon", action="append", default=[], metavar="ID=N", help="with it; several times")

    def answer(self, options: Options) -> dict[str, Any]:
        return _answer(options).as_json()


def _answer(options: Options) -> Answer:
    organization = find_organization(options["organization"])
    if bool(options["plan"]) == bool(options["wanted"]):
        raise DomainError("name either quantities or a plan", field="wanted", code="question_unclear")
    if options["plan"]:
        return fits_plan(organization, options["plan"], addons_of(options["addon"]))
    project = find_project(options["project"]) if options["project"] else None
    return may_use(organization, quantities_of(options["wanted"]), project=project)
