"""Save a draft of a price under its code; published offers keep their copy."""

from accounts.act_commands import PageCommand
from quotas.admin.service_prices import SavePrice


class Command(PageCommand):
    help = __doc__
    page = SavePrice
    positional = ("code", "document")
