"""Bill everything that is due now, once through: the tick for cron, where no beat runs."""

import json
from argparse import ArgumentParser
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError

from accounts import clock
from accounts.errors import TimeInvalid
from ledger import accrual


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--at", help="a past moment, such as 2026-01-31T12:00:00Z (default: now)")

    def handle(self, **options: str | None) -> None:
        try:
            at = clock.parse_moment(options["at"]) if options["at"] else clock.now()
        except TimeInvalid as error:
            raise CommandError(f"{error.code}: {error.detail}") from error
        if at > clock.now():
            raise CommandError("time_invalid: usage that has not happened yet is not billed")
        self.stdout.write(json.dumps(asdict(accrual.drain(at))))
