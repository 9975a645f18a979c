"""What a plan with its add-ons may use, and what it costs a month, by the catalog in force or by a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from accounts import policy
from accounts.errors import DomainError
from accounts.json_commands import JsonCommand, Options
from quotas.addon_words import addons_of
from quotas.catalog.document import parse_text
from quotas.catalog.reading import read_file
from quotas.catalog.terms import Catalog
from quotas.catalog_in_force import catalog_of, in_force
from quotas.holdings import PROJECTS_LIMIT
from quotas.what_if import what_if


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--plan", required=True, metavar="ID")
        parser.add_argument("--addon", action="append", default=[], metavar="ID=N", help="may be given several times")
        parser.add_argument("--status", default="active", help="of the subscription")
        parser.add_argument("--projects-limit", default=None, help="how many projects overhead is counted for")
        parser.add_argument("--catalog", type=Path, default=None, metavar="FILE", help="instead of what is in force")

    def answer(self, options: Options) -> dict[str, Any]:
        catalog = _catalog(options["catalog"])
        limit = options["projects_limit"]
        return what_if(
            catalog,
            options["plan"],
            addons_of(options["addon"]),
            status=options["status"],
            projects_limit=policy.effective(PROJECTS_LIMIT) if limit is None else _count(str(limit)),
        ).as_json()


def _catalog(path: Path | None) -> Catalog:
    return parse_text(read_file(path)) if path else catalog_of(in_force())


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise DomainError("write a whole number", field="projects_limit", code="projects_limit_invalid")
    return int(text)
