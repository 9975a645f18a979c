"""Close a project for ever; nothing may run in it."""

from accounts.act_commands import PageCommand
from accounts.admin.closing_acts import CloseProject


class Command(PageCommand):
    help = __doc__
    page = CloseProject
    row = ("project", "prj")
