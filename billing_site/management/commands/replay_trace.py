"""Bill a GPU cluster trace to the cent: every workload becomes an allocation of one of N accounts.

The last line of output is a JSON object.
"""

import json
import sys
import time
from argparse import ArgumentParser
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.errors import DomainError
from accounts.models import LegalEntity, Settlement, User
from billing_site.trace import BEGINNING, TraceFault, read_trace
from billing_site.trace_replay import Terms, play, set_stage


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--gpu-hour", default="2.50", help="major units per GPU and hour")
        parser.add_argument("--cpu-hour", default="0.04", help="major units per vCPU and hour")
        parser.add_argument("--currency", default="USD")
        parser.add_argument("--accounts", type=int, default=40)
        parser.add_argument("--settlement", choices=Settlement.values, default=Settlement.POSTPAID)
        parser.add_argument("--window-seconds", type=int, default=3600)
        parser.add_argument("--top-up", type=int, default=0, help="minor units that every account begins with")
        parser.add_argument("--tick-delay-seconds", type=int, default=0, help="every tick comes that much late")
        parser.add_argument("--outage-tail", choices=("waive", "bill"), default="waive")
        parser.add_argument("--limit", type=int, help="only the first rows of the file")

    def handle(self, **options: Any) -> None:
        begun = time.monotonic()
        if options["accounts"] < 1:
            raise CommandError("--accounts must be 1 or more")
        if min(options["top_up"], options["tick_delay_seconds"], options["limit"] or 0) < 0:
            raise CommandError("--top-up, --tick-delay-seconds and --limit must be 0 or more")
        terms = Terms(**{name: options[name] for name in Terms.__dataclass_fields__})
        try:
            workloads = list(islice(read_trace(options["file"]), options["limit"]))
            stage = set_stage(terms, owner=_owner(), entity=_entity(terms.currency))
            with tqdm(total=2 * len(workloads), unit="event", file=sys.stderr) as bar:
                tally = play(workloads, stage, terms, progress=bar.update)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        except TraceFault as error:
            raise CommandError(str(error)) from error
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.detail}") from error
        self.stdout.write(json.dumps({**asdict(tally), "seconds": round(time.monotonic() - begun, 1)}))


def _owner() -> User:
    email = "replay@countinghouse.example"
    return User.objects.filter(email=email).first() or User.objects.create_user(email)


def _entity(currency: str) -> LegalEntity:
    return LegalEntity.objects.get_or_create(
        name="Replay", defaults={"country": "US", "base_currency": currency, "created_at": BEGINNING}
    )[0]
