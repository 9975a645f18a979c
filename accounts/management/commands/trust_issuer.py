"""Accept tokens of an issuer, or change how; a trusted one opens people and organizations."""

from accounts.act_commands import PageCommand
from accounts.admin.issuer_acts import SetIssuer


class Command(PageCommand):
    help = __doc__
    page = SetIssuer
    positional = ("issuer",)
    ability = "administer"
