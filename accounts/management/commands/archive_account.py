"""Archive a billing account for ever: nothing may run, and every balance must be zero."""

from accounts.act_commands import PageCommand
from accounts.admin.account_phases import Archive


class Command(PageCommand):
    help = __doc__
    page = Archive
    row = ("account", "ba")
