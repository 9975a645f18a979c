"""Suspend a billing account: nothing starts until it is reactivated; what runs is billed."""

from accounts.act_commands import PageCommand
from accounts.admin.account_phases import Suspend


class Command(PageCommand):
    help = __doc__
    page = Suspend
    row = ("account", "ba")
