"""Save a draft of an offer under its code: which prices it would copy."""

from accounts.act_commands import PageCommand
from quotas.admin.offers import SaveOffer


class Command(PageCommand):
    help = __doc__
    page = SaveOffer
    positional = ("code",)
