"""Grant a discount to one billing account: percent or amount, for a time or a number of bills."""

from accounts.act_commands import PageCommand
from quotas.admin.price_grants import GrantDiscount


class Command(PageCommand):
    help = __doc__
    page = GrantDiscount
    positional = ("billing_account",)
