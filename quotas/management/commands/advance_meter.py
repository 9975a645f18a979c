"""Move a meter one phase on: Draft, Published, Deprecated, Retired; never back."""

from accounts.act_commands import PageCommand
from quotas.admin.meters import AdvanceMeter


class Command(PageCommand):
    help = __doc__
    page = AdvanceMeter
    row = ("meter", "mtr")
