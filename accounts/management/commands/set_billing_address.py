"""Replace the postal address of a billing account; without any option it is taken away."""

from accounts.act_commands import PageCommand
from accounts.admin.detail_acts import SetAddress


class Command(PageCommand):
    help = __doc__
    page = SetAddress
    row = ("account", "ba")
