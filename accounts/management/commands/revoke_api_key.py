"""Revoke an API key of an organization for ever."""

from accounts.act_commands import PageCommand
from accounts.admin.key_acts import RevokeKey


class Command(PageCommand):
    help = __doc__
    page = RevokeKey
    row = ("key", "key")
