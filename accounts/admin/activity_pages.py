"""The pages of what people did: in an organization, and with a billing account."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views import View

from accounts.activity import KINDS
from accounts.activity_feed import Feed, of_account, of_organization
from accounts.models import BillingAccount, Organization
from accounts.request_abilities import may


class ActivityPage(ABC, View):
    """Newest first, by kind, without counting."""

    model_admin: Any = None
    name: ClassVar[str] = "activity"
    path: ClassVar[str] = "<int:pk>/activity/"
    title: ClassVar[str] = "What people did"
    ability: ClassVar[str] = "view"
    http_method_names = ["get", "head"]

    @abstractmethod
    def subject(self) -> tuple[str, str]:
        """What the page is about, and its address. Raises Http404."""

    @abstractmethod
    def feed(self, *, kind: str, below: str) -> Feed:
        """A page of it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may(request, self.ability):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        name, url = self.subject()
        kind = request.GET.get("kind", "")
        if kind not in KINDS:
            kind = ""
        below = request.GET.get("below", "")
        feed = self.feed(kind=kind, below=below)
        kinds = [("", "Everything"), *KINDS.items()]
        context = {
            **self.model_admin.admin_site.each_context(request),
            "title": f"{self.title}: {name}",
            "subject": name,
            "subject_url": url,
            "lines": feed.lines,
            "kinds": [(title, _query(kind=key), key == kind) for key, title in kinds],
            "kind_title": KINDS.get(kind, ""),
            "older": _query(kind=kind, below=feed.older) if feed.older else "",
            "newest": _query(kind=kind) if below else "",
        }
        return TemplateResponse(request, "admin/activity.html", context)


class OrganizationActivity(ActivityPage):
    def subject(self) -> tuple[str, str]:
        organization = Organization.objects.filter(pk=self.kwargs["pk"]).first()
        if organization is None:
            raise Http404
        return organization.name, reverse("admin:accounts_organization_change", args=[organization.pk])

    def feed(self, *, kind: str, below: str) -> Feed:
        return of_organization(self.kwargs["pk"], kind=kind, below=below)


class AccountActivity(ActivityPage):
    def subject(self) -> tuple[str, str]:
        account = BillingAccount.objects.filter(pk=self.kwargs["pk"]).first()
        if account is None:
            raise Http404
        return account.name, reverse("admin:accounts_billingaccount_change", args=[account.pk])

    def feed(self, *, kind: str, below: str) -> Feed:
        return of_account(self.kwargs["pk"], kind=kind, below=below)


def _query(**given: str) -> str:
    return f"?{urlencode({key: value for key, value in given.items() if value})}"
