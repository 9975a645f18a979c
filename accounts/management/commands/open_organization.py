"""Open an organization for its owner, who is added where we do not know the address yet."""

from accounts.act_commands import PageCommand
from accounts.admin.opening import OpenOrganization


class Command(PageCommand):
    help = __doc__
    page = OpenOrganization
    positional = ("name", "slug")
