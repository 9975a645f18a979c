"""Let a project use at most these quantities; dimensions that are not named are the organization's."""

from accounts.act_commands import PageCommand
from quotas.admin.project_quota_acts import SetProjectQuota


class Command(PageCommand):
    help = __doc__
    page = SetProjectQuota
    row = ("project", "prj")
