"""Withdraw a discount of an account from now on."""

from accounts.act_commands import PageCommand
from quotas.admin.price_grants import WithdrawDiscount


class Command(PageCommand):
    help = __doc__
    page = WithdrawDiscount
    row = ("discount", "dsc")
