"""Bill an account by a published offer from now on; it has exactly one."""

from accounts.act_commands import PageCommand
from quotas.admin.entitlements import AssignOffer


class Command(PageCommand):
    help = __doc__
    page = AssignOffer
    positional = ("billing_account", "offer")
