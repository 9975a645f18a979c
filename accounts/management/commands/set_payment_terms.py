"""Give a billing account other payment terms, for invoices not yet written."""

from accounts.act_commands import PageCommand
from accounts.admin.terms_acts import SetTerms


class Command(PageCommand):
    help = __doc__
    page = SetTerms
    row = ("account", "ba")
