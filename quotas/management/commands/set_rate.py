"""Put a rate of a SKU in force from a moment on; what is billed stays as it is."""

from accounts.act_commands import PageCommand
from quotas.admin.catalog import SetRate


class Command(PageCommand):
    help = __doc__
    page = SetRate
    positional = ("sku",)
