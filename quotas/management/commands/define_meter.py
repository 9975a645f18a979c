"""Define what usage is measured in: a meter, as a draft."""

from accounts.act_commands import PageCommand
from quotas.admin.meters import DefineMeter


class Command(PageCommand):
    help = __doc__
    page = DefineMeter
    positional = ("metric",)
