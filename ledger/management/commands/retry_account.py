"""Let the next tick try a parked account, instead of waiting for the end of its pause."""

from accounts.act_commands import PageCommand
from ledger.admin.retry import Retry


class Command(PageCommand):
    help = __doc__
    page = Retry
    row = ("account", "ba")
