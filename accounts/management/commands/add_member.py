"""Let a person who is here already into an organization, in a role."""

from accounts.act_commands import PageCommand
from accounts.admin.member_acts import AddMember


class Command(PageCommand):
    help = __doc__
    page = AddMember
    row = ("organization", "org")
    positional = ("email",)
