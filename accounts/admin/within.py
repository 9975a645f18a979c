"""Acts whose page's address names a row: an organization, a project, a billing account."""

from typing import TypeVar

from django.db.models import Model
from django.http import Http404
from django.urls import reverse

from accounts.admin.act_pages import ActPage
from accounts.audit import system
from accounts.models import BillingAccount, Organization, Project

REHEARSAL = system("rehearsal")
Row = TypeVar("Row", bound=Model)


class WithinOrganization(ActPage):
    def subject(self) -> str:
        return self.organization().name

    def organization(self) -> Organization:
        return _row(Organization, self.kwargs["pk"])

    def url(self) -> str:
        return reverse("admin:accounts_organization_change", args=[self.kwargs["pk"]])


class WithinProject(ActPage):
    def subject(self) -> str:
        return self.project().name

    def project(self) -> Project:
        return _row(Project, self.kwargs["pk"])

    def url(self) -> str:
        return reverse("admin:accounts_project_change", args=[self.kwargs["pk"]])


class WithinAccount(ActPage):
    def subject(self) -> str:
        return self.account().name

    def account(self) -> BillingAccount:
        return _row(BillingAccount, self.kwargs["pk"])

    def url(self) -> str:
        return reverse("admin:accounts_billingaccount_change", args=[self.kwargs["pk"]])


def _row(model: type[Row], key: int) -> Row:
    row = model._default_manager.filter(pk=key).first()
    if row is None:
        raise Http404
    return row
