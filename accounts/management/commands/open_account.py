"""Open a billing account, Ready at once, with the standard payment terms."""

from accounts.act_commands import PageCommand
from accounts.admin.opening import OpenAccount


class Command(PageCommand):
    help = __doc__
    page = OpenAccount
    row = ("organization", "org")
    positional = ("name",)
