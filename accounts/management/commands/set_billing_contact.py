"""Replace the contact of a billing account; without any option it is taken away."""

from accounts.act_commands import PageCommand
from accounts.admin.detail_acts import SetContact


class Command(PageCommand):
    help = __doc__
    page = SetContact
    row = ("account", "ba")
