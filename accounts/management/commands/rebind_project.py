"""Move a project to another billing account; usage before stays with the old one."""

from accounts.act_commands import PageCommand
from accounts.admin.binding_acts import Rebind


class Command(PageCommand):
    help = __doc__
    page = Rebind
    row = ("project", "prj")
    positional = ("billing_account",)
