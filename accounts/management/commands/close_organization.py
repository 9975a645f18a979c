"""Close an organization for ever: projects are closed and accounts archived, all or nothing."""

from accounts.act_commands import PageCommand
from accounts.admin.closing_acts import CloseOrganization


class Command(PageCommand):
    help = __doc__
    page = CloseOrganization
    row = ("organization", "org")
