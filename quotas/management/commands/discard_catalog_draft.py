"""Give up a draft of the catalog; it stays to be read."""

from accounts.act_commands import PageCommand
from quotas.admin.catalog_publication import DiscardDraft


class Command(PageCommand):
    help = __doc__
    page = DiscardDraft
    row = ("catalog", "cat")
