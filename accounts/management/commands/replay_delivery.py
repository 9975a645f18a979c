"""Put a delivery that the relay gave up back on its way. The last line is JSON; a refusal ends with exit code 1."""

import json
import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import clock, dead_letters, staff_roles
from accounts.audit import person
from accounts.errors import DomainError, Forbidden, NotFound
from accounts.models import User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("delivery", help="its number, as under Deliveries in the back office")
        parser.add_argument("--as", dest="email", required=True, metavar="EMAIL", help="who replays it: an operator")
        parser.add_argument("--reason", required=True, help="what was mended, for the auditors")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and write nothing")

    def handle(self, **options: Any) -> None:
        try:
            answer = _replay(options["delivery"], options["email"], options["reason"], dry_run=options["dry_run"])
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.detail}") from error
        self.stdout.write(json.dumps(answer))


def _replay(delivery: str, email: str, reason: str, *, dry_run: bool) -> dict[str, object]:
    operator = _operator(email)
    with transaction.atomic():
        replayed = dead_letters.replay(_number(delivery), actor=person(operator), reason=reason, at=clock.now())
        transaction.set_rollback(dry_run)
    account = replayed.billing_account
    return {
        "delivery": replayed.pk,
        "topic": replayed.message.topic,
        "account": account.public_id if account else None,
        "state": replayed.state,
        "dry_run": dry_run,
    }


def _operator(email: str) -> User:
    found = User.objects.filter(email=email.strip().lower().replace("\x00", "")).first()
    if found is None or not staff_roles.may(found, "operate"):
        raise Forbidden("nobody of that address may operate", field="as")
    return found


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text):
        raise NotFound(f"{text[:40]!r} is no number of a delivery", field="delivery")
    return int(text)
