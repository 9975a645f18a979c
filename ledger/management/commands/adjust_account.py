"""Credit or debit an account by hand; above the limit a second person decides."""

from accounts.act_commands import PageCommand
from ledger.admin.adjust import Adjust


class Command(PageCommand):
    help = __doc__
    page = Adjust
    positional = ("billing_account",)
