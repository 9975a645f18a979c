"""Open a segment of customers that prices can be made for."""

from accounts.act_commands import PageCommand
from quotas.admin.customer_segments import OpenSegment


class Command(PageCommand):
    help = __doc__
    page = OpenSegment
    positional = ("code",)
