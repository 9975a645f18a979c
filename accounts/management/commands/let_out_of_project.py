"""Take a project from a member, whatever their token claims."""

from accounts.act_commands import PageCommand
from accounts.admin.member_acts import LetOut


class Command(PageCommand):
    help = __doc__
    page = LetOut
    row = ("membership", "mbr")
    positional = ("project",)
