"""A billing account: phase, terms, details (masked), conditions, what holds it back. Its last line is a JSON object."""

from argparse import ArgumentParser
from typing import Any

from accounts.account_quota import quota_of
from accounts.account_view import to_be_read, view_of
from accounts.errors import NotFound
from accounts.json_commands import JsonCommand, Options
from accounts.models import BillingAccount
from accounts.public_ids import decode


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="its id: ba_…")

    def answer(self, options: Options) -> dict[str, Any]:
        key = decode(BillingAccount.PUBLIC_PREFIX, options["account"].strip())
        found = to_be_read(BillingAccount.objects.select_related("organization"))
        account = found.filter(pk=key).first() if key else None
        if account is None:
            raise NotFound("no such billing account", field="account")
        quota = quota_of(account.organization)
        return view_of(account) | {"organization_quota": {"used": quota.used, "allowed": quota.allowed}}
