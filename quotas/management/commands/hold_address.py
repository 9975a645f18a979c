"""Let an organization, or a project of it, hold an address; public ones count against the limit of its plan."""

from argparse import ArgumentParser
from typing import Any

from accounts.act_commands import ActCommand, Options
from accounts.admin.act_pages import Done
from accounts.admin.found_rows import find_organization
from accounts.admin.previews import Preview
from accounts.audit import person
from accounts.clock import now
from accounts.models import User
from quotas.admin.allocation_start import find_project
from quotas.external_ips import hold_address, public_held, public_limit


class Command(ActCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", help="its id, org_…, or its short name")
        parser.add_argument("name", help="what it is called, once while it is held")
        parser.add_argument("--network-type", default="public", help="public or cloud")
        parser.add_argument("--project", default="", help="its id: prj_…; empty: the organization itself")
        parser.add_argument("--reason", required=True, help="it is kept with the act")
        super().add_arguments(parser)

    def preview(self, options: Options) -> Preview:
        organization = find_organization(options["organization"])
        limit = public_limit(organization)
        return Preview(
            [
                ("Organization", f"{organization.name} ({organization.public_id})"),
                ("Address", f"{options['name']}, {options['network_type']}"),
                ("Public addresses held", public_held(organization)),
                ("Public addresses allowed", "not enforced" if limit is None else limit),
            ]
        )

    def perform(self, options: Options, user: User) -> Done:
        given: dict[str, Any] = {"project": find_project(options["project"])} if options["project"] else {}
        organization = find_organization(options["organization"])
        held = hold_address(
            organization,
            options["name"],
            options["network_type"],
            **given,
            actor=person(user),
            reason=options["reason"],
            at=now(),
        )
        told = {"external_ip": held.public_id, "name": held.name, "network_type": str(held.network_type)}
        return Done("", f"{organization.name} holds it.", result=told)
