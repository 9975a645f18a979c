"""The back office: its home, its menu and its name. Pages of the rooms are in their own `admin` packages."""

from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.sites import UnfoldAdminSite

from accounts import clock
from accounts.request_abilities import may
from billing_site import figures
from billing_site.back_office.home import cards, revenue
from billing_site.back_office.search import SEARCHABLE, search
from billing_site.back_office.spans import hourly, span
from billing_site.unconfirmed_releases import MOST, UnconfirmedRelease, debts, unconfirmed_releases
from ledger import daily_totals

_BADGES = {"embedded": ["Embedded", "info"], "sandbox": ["Sandbox", "warning"], "live": ["Live", "danger"]}


class BackOffice(UnfoldAdminSite):  # type: ignore[misc]
    """Open to members of a staff group, each to what their group may do."""

    index_title = "Home"
    enable_nav_sidebar = True
    # Route, view and name; added when the apps are ready.
    own_pages: ClassVar[list[tuple[str, Callable[..., Any], str]]] = []

    def has_permission(self, request: HttpRequest) -> bool:
        return not isinstance(request.user, AnonymousUser) and may(request, "view")

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """One log-in for everybody; whoever is signed in and comes here may not enter."""
        if not request.user.is_authenticated:
            onward = request.GET.get("next") or reverse("admin:index")
            return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': onward})}")
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        return TemplateResponse(request, "sign_in/not_staff.html", status=403)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        at = clock.now()
        context = {
            **self.each_context(request),
            "title": "Home",
            "cards": cards(at),
            "revenue": revenue(daily_totals.newest_day(at)),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/home.html", context)

    def get_urls(self) -> list[URLPattern]:
        releases = self.admin_view(self.unconfirmed_releases)
        added = [path(route, self.admin_view(view), name=name) for route, view, name in self.own_pages]
        return [path("unconfirmed-releases/", releases, name="unconfirmed_releases"), *added, *super().get_urls()]

    def unconfirmed_releases(self, request: HttpRequest) -> TemplateResponse:
        """What the platform was asked to take down and still runs, and the debt it grows."""
        found = unconfirmed_releases(clock.now())
        context = {
            **self.each_context(request),
            "title": "Unconfirmed releases",
            "rows": [_shown(release) for release in found],
            "debts": debts(found),
            "looked_at": MOST,
        }
        return TemplateResponse(request, "admin/unconfirmed_releases.html", context)

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> HttpResponse:
        """The menu is by work; breadcrumbs that name an app lead home."""
        return HttpResponseRedirect(reverse("admin:index"))

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """No form of ours completes; the view would count rows."""
        raise Http404

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The one box of every page: to the page of what was named, or to a choice."""
        found = search(request.GET.get("q", ""), self, request)
        if found.destination:
            return HttpResponseRedirect(found.destination)
        shown = {"title": "Search", "found": found, "searchable": SEARCHABLE}
        return TemplateResponse(request, "admin/search.html", {**self.each_context(request), **shown})


def environment_badge(request: HttpRequest) -> list[str]:
    """Where one is, on every page; and whether an account lives by a clock of its own."""
    word, tone = _BADGES[settings.ENVIRONMENT]
    if not request.user.is_authenticated or not figures.clock_is_advanced():
        return [word, tone]
    return [f"{word} · clock advanced", "danger" if tone == "danger" else "warning"]


def _shown(release: UnconfirmedRelease) -> dict[str, Any]:
    per_hour = release.cost_minor_per_hour
    return {
        "release": release,
        "waited": span(release.waited.total_seconds()),
        "per_hour": hourly(per_hour, release.currency) if per_hour is not None else "no rate",
    }
