"""Bring a suspended billing account back to Ready."""

from accounts.act_commands import PageCommand
from accounts.admin.account_phases import Reactivate


class Command(PageCommand):
    help = __doc__
    page = Reactivate
    row = ("account", "ba")
