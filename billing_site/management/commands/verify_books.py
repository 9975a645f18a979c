"""Prove the books. Exit code 0: clean; 1: something is violated, each row named."""

import json
import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from accounts import clock
from ledger.models import VerificationRun
from ledger.verification import RULES, verify


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--full", action="store_true", help="everything, not only what is new since the last run")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")

    def handle(self, **options: bool) -> None:
        run = verify(clock.now(), full=options["full"])
        self.stdout.write(_as_json(run) if options["json"] else _as_text(run))
        if run.violation_count:
            sys.exit(1)


def _as_json(run: VerificationRun) -> str:
    seconds = (run.finished_at - run.started_at).total_seconds()
    return json.dumps(
        {
            "clean": run.violation_count == 0,
            "full": run.full,
            "violations": run.violation_count,
            "listed": run.violations,
            "watermark": run.watermark,
            "seconds": round(seconds, 3),
        }
    )


def _as_text(run: VerificationRun) -> str:
    checked = [rule for rule in RULES if run.full or not rule.full_only]
    broken = {violation["rule"] for violation in run.violations}
    lines = [f"{'✗' if rule.name in broken else '✓'} {rule.says}" for rule in checked]
    lines += [f"  {violation['rule']}: row {violation['row']}: {violation['detail']}" for violation in run.violations]
    if run.violation_count > len(run.violations):
        lines.append(f"  … {run.violation_count - len(run.violations)} more")
    lines.append("The books are clean." if not run.violation_count else f"{run.violation_count} rows are violated.")
    return "\n".join(lines)
