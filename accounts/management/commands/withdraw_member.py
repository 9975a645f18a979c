"""Take a membership back: refused from the next request on, until they are let in again."""

from accounts.act_commands import PageCommand
from accounts.admin.member_acts import WithdrawMember


class Command(PageCommand):
    help = __doc__
    page = WithdrawMember
    row = ("membership", "mbr")
