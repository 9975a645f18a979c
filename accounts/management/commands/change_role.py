"""Give a member of an organization another role."""

from accounts.act_commands import PageCommand
from accounts.admin.member_acts import ChangeRole


class Command(PageCommand):
    help = __doc__
    page = ChangeRole
    row = ("membership", "mbr")
    positional = ("role",)
