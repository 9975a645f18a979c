"""The quota of an organization: bars of what is in use against the limits, why they are as they are, its projects."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.views import View

from accounts import policy
from accounts.models import EnforcementReason, Organization
from accounts.policy_scopes import organization_scope
from accounts.request_abilities import may
from quotas.admin.limit_words import quantity, title
from quotas.admin.subscription_words import LEVEL_TONES, STATES, TONES
from quotas.catalog_in_force import newest
from quotas.dimensions import DIMENSIONS, OF_A_PROJECT, bounds
from quotas.external_ips import public_held
from quotas.holdings import PROJECTS_LIMIT, level_of
from quotas.models import Limit, LimitKind, LimitsDue, ReportedUsage, Subscription
from quotas.project_quotas import effective_quotas
from quotas.quota_bars import Bar, bars
from quotas.usage_report import ALERT_PERCENT

SHOWN_PROJECTS = 50
ADDRESSES = "external_ips"  # we count them ourselves
MAIN = ("requests.cpu", "requests.memory", "requests.storage")  # shown of every project
Usage = dict[str, Decimal | None]


class QuotaOfOrganization(View):
    """A page to read: `of/<id of the organization>/`."""

    model_admin: Any = None
    name: ClassVar[str] = "of"
    path: ClassVar[str] = "of/<int:pk>/"
    http_method_names = ["get", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may(request, "view"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        organization = Organization.objects.filter(pk=pk).first() if pk < 2**63 else None
        if organization is None:
            raise Http404
        context = {
            **self.model_admin.admin_site.each_context(request),
            "title": f"Quota of {organization.name}",
            "operates": may(request, "operate"),
            **page_of(organization),
        }
        return TemplateResponse(request, "admin/quotas/quota.html", context)


def page_of(organization: Organization) -> dict[str, Any]:
    """The context of the page; as many queries for one project as for fifty."""
    rows = list(Limit.objects.filter(organization=organization).select_related("project").order_by("kind", "pk"))
    whole = [row for row in rows if row.project_id is None]
    usage, reported = _usage(organization)
    scope = organization_scope(organization)
    alerts = sorted(policy.effective(ALERT_PERCENT, scope))
    drawn = bars(bounds(whole), {**usage[None], ADDRESSES: Decimal(public_held(organization))}, alerts)
    kept = {row.kind: row.values for row in whole}
    written = {name: kept.get(one.where[0], {}).get(one.where[1], "") for name, one in DIMENSIONS.items()}
    subscription = Subscription.objects.select_related("plan").filter(organization=organization).first()
    return {
        "organization": organization,
        "subscription": subscription,
        "state_title": STATES[subscription.status] if subscription else "",
        "state_tone": TONES[subscription.status] if subscription else "",
        "enforced": bool(whole),
        "reported": bool(reported),
        "has_catalog": newest() is not None,
        "due": LimitsDue.objects.filter(organization=organization).first(),
        "level": level_of(organization),
        "level_tones": LEVEL_TONES,
        "reasons": _reasons(organization, subscription),
        "projects_limit": policy.effective(PROJECTS_LIMIT, scope),
        "alerts": alerts,
        "bars": [_line(bar, written.get(bar.name, ""), reported.get(bar.name)) for bar in drawn],
        "container": next((row for row in whole if row.kind == LimitKind.LIMIT_RANGE), None),
        "computed_at": max((row.computed_at for row in whole), default=None),
        **_projects(organization, rows, usage),
    }


def _usage(organization: Organization) -> tuple[defaultdict[int | None, Usage], dict[str, datetime]]:
    """What is in use by project (None: the whole organization), and when each of the whole was reported."""
    usage: defaultdict[int | None, Usage] = defaultdict(dict)
    reported = {}
    for row in ReportedUsage.objects.filter(organization=organization):
        usage[row.project_id][row.dimension] = row.used
        if row.project_id is None:
            reported[row.dimension] = row.reported_at
    return usage, reported


def _line(bar: Bar, written: str, reported_at: datetime | None) -> dict[str, Any]:
    return {
        "bar": bar,
        "title": title(bar.name),
        "limit": quantity(bar.name, bar.limit),
        "written": written,
        "used": quantity(bar.name, bar.used) if bar.used is not None else "unknown",
        "says": _says(bar),
        "tone": "bad" if bar.over else "wait" if bar.reached else "good",
        "reported_at": reported_at,
        "counted": bar.name == ADDRESSES,
    }


def _says(bar: Bar) -> str:
    if bar.limit is None:
        return ""
    if bar.used is None:
        return "unknown"
    if bar.over:
        return "above the limit"
    if bar.reached:
        return f"alert at {bar.reached} % reached"
    return "within"


def _projects(organization: Organization, rows: list[Limit], usage: defaultdict[int | None, Usage]) -> dict[str, Any]:
    """Each project with what it may use: the smaller of its own quota and of what the others leave."""
    found = list(organization.projects.order_by("pk")[: SHOWN_PROJECTS + 1])
    own = {row.project_id: row.values for row in rows if row.kind == LimitKind.PROJECT_QUOTA}
    effective = effective_quotas(organization.pk, [project.pk for project in found])
    shown = [
        {
            "project": project,
            "own": project.pk in own,
            "lines": [
                {
                    "title": title(name),
                    "own": own.get(project.pk, {}).get(name, ""),
                    "effective": quantity(name, effective[project.pk].get(name)),
                    "used": quantity(name, usage[project.pk][name]) if _known(usage[project.pk], name) else "unknown",
                }
                for name in OF_A_PROJECT
                if name in own.get(project.pk, {})
                or _known(usage[project.pk], name)
                or (name in MAIN and name in effective[project.pk])
            ],
        }
        for project in found[:SHOWN_PROJECTS]
    ]
    return {"projects": shown, "more_projects": len(found) > SHOWN_PROJECTS}


def _known(usage: Usage, name: str) -> bool:
    return usage.get(name) is not None


def _reasons(organization: Organization, subscription: Subscription | None) -> list[EnforcementReason]:
    holds = Q(organization=organization)
    if subscription and subscription.billing_account_id:
        holds |= Q(billing_account=subscription.billing_account_id)
    rows = EnforcementReason.objects.filter(holds, closed_at=None).select_related("billing_account")
    return list(rows.order_by("pk"))
