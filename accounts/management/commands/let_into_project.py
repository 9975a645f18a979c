"""Let a member into a project."""

from accounts.act_commands import PageCommand
from accounts.admin.member_acts import LetIn


class Command(PageCommand):
    help = __doc__
    page = LetIn
    row = ("membership", "mbr")
    positional = ("project",)
