"""Let the tokens of an issuer bring people into an organization that staff opened."""

from accounts.act_commands import PageCommand
from accounts.admin.issuer_acts import ConnectIssuer


class Command(PageCommand):
    help = __doc__
    page = ConnectIssuer
    row = ("organization", "org")
    ability = "administer"
