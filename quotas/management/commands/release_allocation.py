"""Request the release of an allocation; with --completed-at, say in the platform's place that the machine is gone."""

from argparse import ArgumentParser

from accounts.act_commands import Options, PageCommand
from accounts.admin.act_pages import ActPage
from quotas.admin.allocation_acts import CompleteRelease, RequestRelease


class Command(PageCommand):
    help = __doc__
    page = RequestRelease
    row = ("allocation", "alc")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        gone = "when the machine was gone, such as 2026-04-01T12:00:00Z, or now; without it, release is only requested"
        parser.add_argument("--completed-at", metavar="MOMENT", help=gone)

    def page_class(self, options: Options) -> type[ActPage]:
        if options["completed_at"] is None:
            return RequestRelease
        if options["completed_at"] == "now":
            options["completed_at"] = ""
        return CompleteRelease
