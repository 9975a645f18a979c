"""Open a project in an organization; it pays for nothing until an account is bound to it."""

from accounts.act_commands import PageCommand
from accounts.admin.opening import OpenProject


class Command(PageCommand):
    help = __doc__
    page = OpenProject
    row = ("organization", "org")
    positional = ("name", "slug")
