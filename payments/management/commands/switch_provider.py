"""Let customers start payments with another provider from now on."""

from accounts.act_commands import PageCommand
from payments.admin.provider_switches import SwitchProvider


class Command(PageCommand):
    help = __doc__
    page = SwitchProvider
    positional = ("provider",)
    ability = "administer"
