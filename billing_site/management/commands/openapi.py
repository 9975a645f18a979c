"""The committed description of the REST API: `--check` in lint, `--write` after a change, `--release` for a release."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from billing_site.api_surface import broken, surface

FOLDER = Path(settings.BASE_DIR) / "docs" / "api"
DESCRIPTION = FOLDER / "openapi.json"
RELEASED = FOLDER / "released.txt"


class Command(BaseCommand):
    help = "Write or check docs/api/openapi.json; refuse what would break a client of the released API."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        wanted = parser.add_mutually_exclusive_group(required=True)
        wanted.add_argument("--check", action="store_true", help="fail where the file is stale or a client would break")
        wanted.add_argument("--write", action="store_true", help="write the file")
        wanted.add_argument("--release", action="store_true", help="what clients may rely on from now on")

    def handle(self, *, check: bool, write: bool, release: bool, **options: Any) -> None:
        text = described()
        if write or release:
            FOLDER.mkdir(parents=True, exist_ok=True)
            DESCRIPTION.write_text(text)
        if release:
            RELEASED.write_text("".join(f"{line}\n" for line in surface(json.loads(text))))
        if check and DESCRIPTION.read_text() != text:
            raise CommandError("docs/api/openapi.json is stale: run manage.py openapi --write and commit it")
        if faults := broken(RELEASED.read_text().splitlines(), surface(json.loads(text))):
            shown = "\n".join(faults[:50])
            raise CommandError(f"{len(faults)} changes break clients of the released API:\n{shown}")
        self.stdout.write(f"{len(json.loads(text)['paths'])} addresses described")


def described() -> str:
    """The description as it is committed: the same text each time. Raises CommandError for what cannot be described."""
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    if GENERATOR_STATS:
        raise CommandError("the description has gaps, named above")
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
