"""Read plans.yaml, bare or inside its ConfigMap, and publish it.

The whole document is accepted, or refused with every fault; then the last good catalog stays in force and an alarm is
raised. The first catalog is published at once. A later one waits for a second person where the policy
`approvals.catalog_publication` says so: with --as it is filed for approval, without it the draft waits in the back
office.
"""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accounts.act_commands import acting
from accounts.audit import person, system
from accounts.clock import now
from accounts.json_commands import JsonCommand, Options
from quotas import catalog_import
from quotas.catalog.changes import changes
from quotas.catalog.document import fingerprint, parse_text
from quotas.catalog.reading import read_file
from quotas.catalog_in_force import catalog_of, newest


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")
        parser.add_argument("--as", dest="acting", metavar="EMAIL", help="the member of staff who imports")
        parser.add_argument("--reason", default="imported from a file")
        parser.add_argument(
            "--existing",
            default="keep",
            help="keep: subscriptions keep their limits; move: limits follow. Their price stays either way",
        )

    def answer(self, options: Options) -> dict[str, Any]:
        raw, source = read_file(options["file"]), options["file"].name
        if options["dry_run"]:
            catalog = parse_text(raw)
            current = newest()
            differing = changes(catalog_of(current) if current else None, catalog)
            told = {"sha256": fingerprint(catalog.as_document()), "changes": [asdict(one) for one in differing]}
            return {"dry_run": True, **told, **catalog_import.summary(catalog)}
        at = now()
        user = acting(options["acting"], "operate") if options["acting"] else None
        catalog = catalog_import.read(raw, source=source, at=at)
        imported = catalog_import.import_catalog(
            catalog,
            source=source,
            existing=options["existing"],
            maker=user,
            actor=person(user) if user else system("import_catalog"),
            reason=options["reason"],
            at=at,
        )
        return {"dry_run": False, **imported.as_json(), **catalog_import.summary(catalog)}
