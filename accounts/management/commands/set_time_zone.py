"""Let the days of a billing account begin in another IANA time zone."""

from accounts.act_commands import PageCommand
from accounts.admin.terms_acts import SetTimeZone


class Command(PageCommand):
    help = __doc__
    page = SetTimeZone
    row = ("account", "ba")
    positional = ("time_zone",)
