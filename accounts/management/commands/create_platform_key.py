"""Create a key of a service of ours, for every organization; it is shown once."""

from accounts.act_commands import PageCommand
from accounts.admin.key_acts import CreatePlatformKey


class Command(PageCommand):
    help = __doc__
    page = CreatePlatformKey
    positional = ("name",)
    ability = "administer"
