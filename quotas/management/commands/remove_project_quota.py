"""Remove a project's own quota: the organization's limits alone hold for it then."""

from accounts.act_commands import PageCommand
from quotas.admin.project_quota_acts import RemoveProjectQuota


class Command(PageCommand):
    help = __doc__
    page = RemoveProjectQuota
    row = ("project", "prj")
