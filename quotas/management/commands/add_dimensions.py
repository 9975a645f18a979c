"""Declare more dimensions of a meter; what is published goes on without them."""

from accounts.act_commands import PageCommand
from quotas.admin.meters import AddDimensions


class Command(PageCommand):
    help = __doc__
    page = AddDimensions
    row = ("meter", "mtr")
    positional = ("dimensions",)
