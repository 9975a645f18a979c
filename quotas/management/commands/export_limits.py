"""The limits of an organization as manifests: a List that `kubectl apply -f -` takes, on one line. Nothing is written.

Without KUBECONFIG_PATH this is how limits reach a cluster; with it, how to see what should stand there.
"""

from argparse import ArgumentParser
from typing import Any

from accounts.errors import NotFound
from accounts.json_commands import JsonCommand, Options
from accounts.models import Organization
from accounts.public_ids import decode
from quotas.kubernetes.manifests import manifest
from quotas.kubernetes.wanted import wanted_of


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", help="its id, org_…, or its short name")

    def answer(self, options: Options) -> dict[str, Any]:
        wanted = wanted_of(_organization(options["organization"].strip()))
        return {"apiVersion": "v1", "kind": "List", "items": [manifest(limit) for limit in wanted.limits]}


def _organization(text: str) -> Organization:
    key = decode(Organization.PUBLIC_PREFIX, text)
    found = (
        Organization.objects.filter(**({"slug": text} if key is None else {"pk": key})) if "\x00" not in text else []
    )
    for organization in found:
        return organization
    raise NotFound("no such organization", field="organization")
