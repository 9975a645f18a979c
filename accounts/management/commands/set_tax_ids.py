"""Replace the tax ids of a billing account: type and number, several separated by semicolons."""

from accounts.act_commands import PageCommand
from accounts.admin.detail_acts import SetTaxIds


class Command(PageCommand):
    help = __doc__
    page = SetTaxIds
    row = ("account", "ba")
    positional = ("tax_ids",)
