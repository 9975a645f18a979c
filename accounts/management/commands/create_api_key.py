"""Create an API key of an organization; it is in the answer, and shown never again."""

from accounts.act_commands import PageCommand
from accounts.admin.key_acts import CreateKey


class Command(PageCommand):
    help = __doc__
    page = CreateKey
    row = ("organization", "org")
    positional = ("name",)
