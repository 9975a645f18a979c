"""Give an address back that an organization holds."""

from argparse import ArgumentParser

from accounts.act_commands import ActCommand, Options
from accounts.admin.act_pages import Done
from accounts.admin.previews import Preview
from accounts.audit import person
from accounts.clock import now
from accounts.display import show_moment
from accounts.errors import NotFound
from accounts.models import User
from accounts.public_ids import decode
from quotas.external_ips import release_address
from quotas.models import ExternalIp


class Command(ActCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", help="its id: eip_…")
        parser.add_argument("--reason", required=True, help="it is kept with the act")
        super().add_arguments(parser)

    def preview(self, options: Options) -> Preview:
        address = _address(options["address"])
        organization = address.organization
        return Preview(
            [
                ("Organization", f"{organization.name} ({organization.public_id})"),
                ("Address", f"{address.name}, {address.network_type}"),
                ("Held since", show_moment(address.created_at)),
            ]
        )

    def perform(self, options: Options, user: User) -> Done:
        address = _address(options["address"])
        released = release_address(
            address.pk, address.organization, actor=person(user), reason=options["reason"], at=now()
        )
        return Done("", "It is given back.", result={"external_ip": released.public_id, "name": released.name})


def _address(public_id: str) -> ExternalIp:
    key = decode(ExternalIp.PUBLIC_PREFIX, public_id.strip())
    found = ExternalIp.objects.select_related("organization").filter(pk=key).first() if key else None
    if found is None:
        raise NotFound("no such address", field="address")
    return found
