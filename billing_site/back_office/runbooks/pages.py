"""The addresses of the runbooks: a list of them, a page for each, and their acts."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import clock
from accounts.admin.act_pages import ActPage
from accounts.request_abilities import may
from billing_site.admin_site import BackOffice
from billing_site.back_office.runbooks import RUNBOOKS
from billing_site.back_office.runbooks.acts import DrainNow, RetryParked
from billing_site.back_office.runbooks.reading import Runbook

ACTS: dict[str, tuple[type[ActPage], ...]] = {"accrual": (DrainNow, RetryParked)}


@dataclass(frozen=True)
class _Desk:
    """What an act's page asks of the list it begins at."""

    admin_site: Any


def register() -> None:
    """Add the pages to the back office; once, when the registry is ready."""
    pages = BackOffice.own_pages
    pages.append(("runbooks/", contents, "runbooks"))
    for runbook in RUNBOOKS:
        pages.append((f"runbooks/{runbook.name}/", partial(page, runbook), f"runbooks_{runbook.name}"))
        for act in ACTS.get(runbook.name, ()):
            view = act.as_view(model_admin=_Desk(admin.site))
            pages.append((act.path, view, f"runbooks_{runbook.name}_{act.name}"))


@require_safe
def contents(request: HttpRequest) -> HttpResponse:
    """Every runbook with how it stands now."""
    at = clock.now()
    rows = [(book, book.read(at), reverse(f"admin:runbooks_{book.name}")) for book in RUNBOOKS]
    return _answer(request, "admin/runbooks/contents.html", {"title": "Runbooks", "rows": rows})


def page(runbook: Runbook, request: HttpRequest) -> HttpResponse:
    return _runbook(request, runbook)


@require_safe
def _runbook(request: HttpRequest, runbook: Runbook) -> HttpResponse:
    at = clock.now()
    operates = may(request, "operate")
    acts = [(title, reverse(f"admin:{name}")) for name, title in runbook.acts] if operates else []
    shown = {"title": runbook.title, "runbook": runbook, "reading": runbook.read(at), "at": at, "acts": acts}
    return _answer(request, "admin/runbooks/page.html", {**shown, "operates": operates})


def _answer(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    if not may(request, "view"):
        raise PermissionDenied
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})
