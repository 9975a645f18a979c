"""The limits of an organization as manifests: a List that `kubectl apply -f -` takes, on one line. Nothing is written.

Without KUBECONFIG_PATH this is how limits reach a cluster; with it, how to see what should stand there.
"""

from argparse import ArgumentParser
from typing import Any

from accounts.admin.found_rows import find_organization
from accounts.json_commands import JsonCommand, Options
from quotas.kubernetes.manifests import manifest
from quotas.kubernetes.wanted import wanted_of


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", help="its id, org_…, or its short name")

    def answer(self, options: Options) -> dict[str, Any]:
        wanted = wanted_of(find_organization(options["organization"]))
        return {"apiVersion": "v1", "kind": "List", "items": [manifest(limit) for limit in wanted.limits]}
