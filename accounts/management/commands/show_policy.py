"""Which policy is in force for a subject, and which scopes were asked. The last line of output is a JSON object."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.errors import DomainError
from accounts.policy_chain import Chain, Step, chains_of
from accounts.policy_keys import known
from accounts.policy_scopes import public_id_at
from accounts.policy_subjects import find
from accounts.policy_text import show_value


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", nargs="?", help="one key, such as billing.window_seconds (default: all)")
        parser.add_argument("--subject", default="", help="org_…, prj_…, usr_…, ba_…, alc_… (default: everyone)")

    def handle(self, **options: Any) -> None:
        try:
            keys = [known(options["key"])] if options["key"] is not None else []
            subject = find(options["subject"])
        except DomainError as error:
            raise CommandError(": ".join(filter(None, (error.code, error.field, error.detail)))) from error
        chains = chains_of(subject, keys)
        for chain in chains:
            found = chain.effective
            self.stdout.write(
                f"{chain.key.name}: {show_value(chain.key, found.value, subject.currency)} ({found.scope})"
            )
        answer = {"subject": subject.public_id or "everyone", "currency": subject.currency}
        self.stdout.write(json.dumps({**answer, "policies": {chain.key.name: _found(chain) for chain in chains}}))


def _found(chain: Chain) -> dict[str, Any]:
    found = chain.effective
    asked = [_step(chain, step) for step in chain.steps]
    source = {"scope": found.scope, "subject": public_id_at(found.scope, found.scope_id) or None}
    return {"value": found.value, **source, "asked": asked}


def _step(chain: Chain, step: Step) -> dict[str, Any]:
    value = step.row.value if step.row else chain.key.default if step.scope == "default" else None
    return {
        "scope": step.scope,
        "subject": public_id_at(step.scope, step.scope_id) or None,
        "value": value,
        "set_at": step.row.updated_at.isoformat() if step.row else None,
        "in_force": step.answered,
    }
