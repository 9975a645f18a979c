"""A second key of the same name and scopes; the first works until it is revoked or expires."""

from accounts.act_commands import PageCommand
from accounts.admin.key_acts import RotateKey


class Command(PageCommand):
    help = __doc__
    page = RotateKey
    row = ("key", "key")
