"""Let an allocation hold another quantity from now on."""

from accounts.act_commands import PageCommand
from quotas.admin.allocation_acts import ResizeAllocation


class Command(PageCommand):
    help = __doc__
    page = ResizeAllocation
    row = ("allocation", "alc")
    positional = ("quantity",)
