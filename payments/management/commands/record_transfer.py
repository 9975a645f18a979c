"""Record a bank transfer that arrived; above the limit a second person decides."""

from accounts.act_commands import PageCommand
from payments.admin.bank_transfers import RecordTransfer


class Command(PageCommand):
    help = __doc__
    page = RecordTransfer
    positional = ("billing_account",)
