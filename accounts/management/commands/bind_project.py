"""Bind a project to the billing account that pays for it from now on."""

from accounts.act_commands import PageCommand
from accounts.admin.binding_acts import Bind


class Command(PageCommand):
    help = __doc__
    page = Bind
    row = ("project", "prj")
    positional = ("billing_account",)
