"""Look the site over: ✓ good, ! worth a look, ✗ wrong, and what to do. Exit code 1 where anything is wrong.

Changes nothing; it keeps the run of verification that it makes.
"""

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from dataclasses import asdict

from django.core.management.base import BaseCommand

from accounts import clock
from billing_site.doctor import Finding, Level, examine


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []  # it runs while something is wrong

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--full", action="store_true", help="prove all of the book, not only what is new")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, **options: bool) -> None:
        found: list[Finding] = []
        for finding in examine(clock.now(), full=options["full"]):
            found.append(finding)
            if not options["json"]:
                self.stdout.write(finding.line())
                self.stdout.flush()
        levels = Counter(finding.level for finding in found)
        sound = not levels[Level.FAULT]
        if options["json"]:
            self.stdout.write(json.dumps({"sound": sound, "findings": [asdict(finding) for finding in found]}))
        else:
            self.stdout.write(_summary(levels))
        if not sound:
            sys.exit(1)


def _summary(levels: Counter[Level]) -> str:
    faults, warnings = levels[Level.FAULT], levels[Level.WARNING]
    if not faults and not warnings:
        return "All is well."
    return f"{faults} wrong (✗), {warnings} worth a look (!)."
