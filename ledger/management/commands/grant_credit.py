"""Grant promotional credit to an account; above the limit a second person decides."""

from accounts.act_commands import PageCommand
from ledger.admin.grant import Grant


class Command(PageCommand):
    help = __doc__
    page = Grant
    positional = ("billing_account",)
