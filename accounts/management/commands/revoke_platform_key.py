"""Revoke any key for ever, the platform's own as well."""

from accounts.act_commands import PageCommand
from accounts.admin.key_acts import RevokeAnyKey


class Command(PageCommand):
    help = __doc__
    page = RevokeAnyKey
    row = ("key", "key")
    ability = "administer"
