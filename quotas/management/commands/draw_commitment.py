"""Price the next month of a commitment and draw it, once."""

from accounts.act_commands import PageCommand
from quotas.admin.account_commitments import DrawMonth


class Command(PageCommand):
    help = __doc__
    page = DrawMonth
    row = ("commitment", "cmt")
    positional = ("quantity",)
