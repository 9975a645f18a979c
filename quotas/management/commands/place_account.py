"""Put a billing account into a segment of customers from now on, or into none."""

from accounts.act_commands import PageCommand
from quotas.admin.customer_segments import PlaceAccount


class Command(PageCommand):
    help = __doc__
    page = PlaceAccount
    positional = ("billing_account",)
