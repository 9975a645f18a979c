"""Move a subscription: cancel (at the period's end), keep (take that back), overdue, paid, suspend, resubscribe."""

from argparse import ArgumentParser

from accounts.act_commands import Options, PageCommand
from accounts.admin.act_pages import ActPage
from accounts.errors import DomainError
from quotas.admin.subscription_moves import MOVE_PAGES, Cancel

_PAGES = {page.name: page for page in MOVE_PAGES}


class Command(PageCommand):
    help = __doc__
    page = Cancel
    row = ("subscription", "sub")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("move", help=", ".join(_PAGES))

    def page_class(self, options: Options) -> type[ActPage]:
        page = _PAGES.get(options["move"])
        if page is None:
            raise DomainError(f"choose one of {', '.join(_PAGES)}", field="move", code="move_unknown")
        return page
