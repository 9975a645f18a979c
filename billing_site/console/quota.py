"""How much of its quota an organization uses, whether the quota is enforced, and whether another plan would do."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.abilities import READ_BILLING
from accounts.models import Organization, Project
from billing_site.console import quantities, upstream, whose
from billing_site.console.described import ConsoleUsedOut, Number, call
from billing_site.console.envelope import success
from billing_site.console.resources import ConsoleResource
from billing_site.console.subscription import SHOWN, ConsoleUsageOut
from quotas.dimensions import bounds
from quotas.external_ips import public_held
from quotas.holdings import level_of
from quotas.models import Limit, LimitKind, ReportedUsage, Subscription
from quotas.usage_report import usage_of

MOST_PROJECTS = 500
_WHOLE = (*SHOWN, "services.loadbalancers", "object_storage")


class ConsoleWholeUsageOut(ConsoleUsageOut):
    servicesLB = ConsoleUsedOut()
    publicIPv4 = ConsoleUsedOut(help_text="Public addresses that are held.")
    objectStorage = ConsoleUsedOut(help_text="GB; unknown is null, not zero.")


class ConsoleUsedByOut(serializers.Serializer[Any]):
    cpu = Number()
    memory = Number()
    storage = Number()
    pods = Number()


class ConsoleProjectUsageOut(serializers.Serializer[Any]):
    namespace = serializers.CharField()
    usage = ConsoleUsedByOut()


class ConsoleQuotaUsageOut(serializers.Serializer[Any]):
    organization = serializers.CharField()
    usage = ConsoleWholeUsageOut()
    projects = ConsoleProjectUsageOut(many=True, help_text=f"Open projects by name, {MOST_PROJECTS} at most.")
    lastUpdated = serializers.DateTimeField(allow_null=True)


class ConsoleEnforcedOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    exists = serializers.BooleanField()


class ConsoleQuotaStatusOut(serializers.Serializer[Any]):
    organization = serializers.CharField()
    quotaEnforced = serializers.BooleanField()
    planId = serializers.CharField(allow_null=True)
    status = serializers.CharField(allow_null=True)
    level = serializers.ChoiceField(["full", "warn", "restricted", "halted"])
    hrq = ConsoleEnforcedOut(help_text="As the cluster has it; as our rows have it where there is no cluster.")
    limitRange = ConsoleEnforcedOut()
    cluster = serializers.ChoiceField(["ok", "none"])


class QuotaUsage(ConsoleResource):
    @call("Usage of the quota across all projects", ConsoleQuotaUsageOut, needs=READ_BILLING)
    def get(self, request: Request) -> Response:
        """For organization admins: what the platform last reported, and the public addresses held."""
        return success(ConsoleQuotaUsageOut(_usage(self.organization(READ_BILLING))).data)


class QuotaStatus(ConsoleResource):
    @call("Whether the quota exists and is enforced", ConsoleQuotaStatusOut, needs=READ_BILLING)
    def get(self, request: Request) -> Response:
        """For organization admins. Asks the cluster, where there is one; 503 where it does not answer."""
        return success(ConsoleQuotaStatusOut(_status(self.organization(READ_BILLING))).data)


def _usage(organization: Organization) -> dict[str, Any]:
    limits = bounds(Limit.objects.filter(organization=organization, project=None))
    held = Decimal(public_held(organization))
    whole = quantities.usage(usage_of(organization), limits, *_WHOLE)
    newest = ReportedUsage.objects.filter(organization=organization).order_by("-reported_at").first()
    return {
        "organization": organization.slug,
        "usage": {**whole, "publicIPv4": {"used": held, "limit": limits.get("external_ips")}},
        "projects": _by_project(organization),
        "lastUpdated": newest.reported_at if newest else None,
    }


def _by_project(organization: Organization) -> list[dict[str, Any]]:
    """Three queries, however many there are."""
    rows = list(Project.objects.filter(organization=organization, closed_at=None).order_by("slug")[:MOST_PROJECTS])
    reported: dict[int, dict[str, Decimal | None]] = {row.pk: {} for row in rows}
    found = ReportedUsage.objects.filter(organization=organization, project__in=rows, dimension__in=SHOWN)
    for key, name, used in found.values_list("project_id", "dimension", "used"):
        if key is not None:
            reported[key][name] = quantities.shown(name, used)
    for row in rows:
        row.organization = organization
    return [
        {
            "namespace": whose.full_name(row),
            "usage": {quantities.WORDS[name]: reported[row.pk].get(name) for name in SHOWN},
        }
        for row in rows
    ]


def _status(organization: Organization) -> dict[str, Any]:
    rows = {row.kind: row for row in Limit.objects.filter(organization=organization, project=None)}
    quota, limit_range = rows.get(LimitKind.HIERARCHICAL_RESOURCE_QUOTA), rows.get(LimitKind.LIMIT_RANGE)
    subscription = Subscription.objects.filter(organization=organization).select_related("plan").first()
    there = upstream.standing(organization)
    exists = there.quota if there else quota is not None
    return {
        "organization": organization.slug,
        "quotaEnforced": exists and quota is not None,
        "planId": subscription.plan.code if subscription and subscription.plan else None,
        "status": subscription.status if subscription else None,
        "level": level_of(organization),
        "hrq": {"name": "plan-quota", "exists": exists},
        "limitRange": {
            "name": "default-resource-limits",
            "exists": there.limit_range if there else limit_range is not None,
        },
        "cluster": "ok" if there else "none",
    }
