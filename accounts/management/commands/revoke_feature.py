"""Take a feature back from an organization; what was opened under it stays."""

from accounts.act_commands import PageCommand
from accounts.admin.feature_acts import RevokeFeature


class Command(PageCommand):
    help = __doc__
    page = RevokeFeature
    row = ("organization", "org")
    positional = ("feature",)
