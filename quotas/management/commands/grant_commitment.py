"""Write down what an account promised to use of a metric over a term of months."""

from accounts.act_commands import PageCommand
from quotas.admin.account_commitments import GrantCommitment


class Command(PageCommand):
    help = __doc__
    page = GrantCommitment
    positional = ("billing_account", "metric")
