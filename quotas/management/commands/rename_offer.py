"""Rename an offer: the one thing that changes after publication."""

from accounts.act_commands import PageCommand
from quotas.admin.offers import RenameOffer


class Command(PageCommand):
    help = __doc__
    page = RenameOffer
    row = ("offer", "ofr")
    positional = ("display_name",)
