"""Start an allocation for a project, charged from now on."""

from accounts.act_commands import PageCommand
from quotas.admin.allocation_start import StartAllocation


class Command(PageCommand):
    help = __doc__
    page = StartAllocation
    positional = ("project", "sku", "quantity")
