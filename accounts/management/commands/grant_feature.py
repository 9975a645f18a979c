"""Grant an organization a feature, such as multi-billing-accounts."""

from accounts.act_commands import PageCommand
from accounts.admin.feature_acts import GrantFeature


class Command(PageCommand):
    help = __doc__
    page = GrantFeature
    row = ("organization", "org")
    positional = ("feature",)
