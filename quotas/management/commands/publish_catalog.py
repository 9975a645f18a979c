"""Publish a draft of the catalog; later ones than the first wait for a second person where the policy says so."""

from accounts.act_commands import PageCommand
from quotas.admin.catalog_publication import PublishCatalog


class Command(PageCommand):
    help = __doc__
    page = PublishCatalog
    row = ("catalog", "cat")
