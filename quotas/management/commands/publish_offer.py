"""Publish an offer: its prices are copied, once, and frozen; may wait for a second person."""

from accounts.act_commands import PageCommand
from quotas.admin.offers import PublishOffer


class Command(PageCommand):
    help = __doc__
    page = PublishOffer
    row = ("offer", "ofr")
