"""Delete a billing account for ever: archived, its billing details erased, its book kept."""

from accounts.act_commands import PageCommand
from accounts.admin.closing_acts import DeleteAccount


class Command(PageCommand):
    help = __doc__
    page = DeleteAccount
    row = ("account", "ba")
