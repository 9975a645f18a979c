"""Replace the addresses that invoices go to, separated by semicolons, the primary one first."""

from accounts.act_commands import PageCommand
from accounts.admin.detail_acts import SetInvoiceEmails


class Command(PageCommand):
    help = __doc__
    page = SetInvoiceEmails
    row = ("account", "ba")
    positional = ("invoice_emails",)
