"""Reverse a transaction, once; above the limit a second person decides."""

from accounts.act_commands import PageCommand
from ledger.admin.correct import Correct


class Command(PageCommand):
    help = __doc__
    page = Correct
    row = ("transaction", "tx")
