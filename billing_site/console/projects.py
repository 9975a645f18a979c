"""The projects that a caller may open, and what one of them may use, uses and costs."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import clock
from accounts.abilities import READ_PROJECTS
from accounts.models import BillingAccount, BillingAccountBinding, BindingPhase, Organization, Project
from accounts.public_ids import encode
from billing_site.console import quantities, upstream, whose
from billing_site.console.catalog import ConsoleResourcesOut
from billing_site.console.described import Number, call
from billing_site.console.envelope import success
from billing_site.console.resources import ConsoleResource
from billing_site.console.subscription import SHOWN, ConsoleUsageOut
from ledger.project_costs import usage_cost
from quotas.models import Allocation, AllocationStatus, Limit, LimitKind, Subscription
from quotas.project_quotas import effective_quota
from quotas.usage_report import usage_of

MOST = 500
_RUNNING = (AllocationStatus.ACTIVE, AllocationStatus.RELEASING)


class ConsoleProjectOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField(help_text="Short name.")
    displayName = serializers.CharField()
    organization = serializers.CharField()
    billingAccount = serializers.CharField(allow_null=True, help_text="Which account pays.")
    currency = serializers.CharField(allow_null=True)
    perProjectQuotaSet = serializers.BooleanField()


class ConsoleAmountOut(serializers.Serializer[Any]):
    amount = Number(help_text="In major units.")
    currency = serializers.CharField()


class ConsoleMonthCostOut(serializers.Serializer[Any]):
    periodStart = serializers.DateTimeField()
    periodEnd = serializers.DateTimeField()
    amounts = ConsoleAmountOut(many=True)


class ConsoleOwnQuotaOut(ConsoleResourcesOut):
    pods = Number()


class ConsoleOverviewOut(ConsoleProjectOut):
    planId = serializers.CharField(allow_null=True)
    status = serializers.CharField(allow_null=True)
    usage = ConsoleUsageOut(help_text="The limit is what holds: the smaller of its own and what the others leave.")
    quota = ConsoleOwnQuotaOut(allow_null=True, help_text="The project's own.")
    running = serializers.IntegerField(help_text="Machines that are charged.")
    cost = ConsoleMonthCostOut(help_text="Of machines, this calendar month (UTC).")
    quotaEnforced = serializers.BooleanField()


class Projects(ConsoleResource):
    @call("Projects that the caller may open", ConsoleProjectOut, many=True)
    def get(self, request: Request) -> Response:
        """With who pays for each; by name, 500 at most."""
        within = self.organization()
        rows = list(whose.projects(self.caller, within)[:MOST])
        return success(ConsoleProjectOut(facts(rows), many=True).data)


class Overview(ConsoleResource):
    @call("Billing details of a project", ConsoleOverviewOut, needs=READ_PROJECTS)
    def get(self, request: Request, namespace: str) -> Response:
        """For whoever may open the namespace: `organization-project`, or the project's short name. Asks the cluster,
        where there is one; 503 where it does not answer."""
        project = whose.project(self.caller, namespace, self.named())
        return success(ConsoleOverviewOut(_overview(project, clock.now())).data)


def facts(rows: list[Project]) -> list[dict[str, Any]]:
    """Two queries, however many they are."""
    bound = BillingAccountBinding.objects.filter(project__in=rows, phase=BindingPhase.ACTIVE)
    payers = {key: (account, currency) for key, account, currency in bound.values_list(*_PAYER)}
    own = set(Limit.objects.filter(project__in=rows, kind=LimitKind.PROJECT_QUOTA).values_list("project", flat=True))
    return [_facts(row, payers.get(row.pk), row.pk in own) for row in rows]


_PAYER = ("project_id", "billing_account_id", "billing_account__currency")


def _facts(row: Project, payer: tuple[int, str] | None, own: bool) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "namespace": whose.full_name(row),
        "name": row.slug,
        "displayName": row.name,
        "organization": row.organization.slug,
        "billingAccount": encode(BillingAccount.PUBLIC_PREFIX, payer[0]) if payer else None,
        "currency": payer[1] if payer else None,
        "perProjectQuotaSet": own,
    }


def _overview(project: Project, at: datetime) -> dict[str, Any]:
    organization: Organization = project.organization
    subscription = Subscription.objects.filter(organization=organization).select_related("plan").first()
    there = upstream.standing(organization)
    limits = Limit.objects.filter(organization=organization, kind=LimitKind.HIERARCHICAL_RESOURCE_QUOTA)
    own = Limit.objects.filter(project=project, kind=LimitKind.PROJECT_QUOTA).first()
    return {
        **facts([project])[0],
        "planId": subscription.plan.code if subscription and subscription.plan else None,
        "status": subscription.status if subscription else None,
        "usage": quantities.usage(usage_of(organization, project), effective_quota(project), *SHOWN),
        "quota": own_quota(own),
        "running": Allocation.objects.filter(project=project, status__in=_RUNNING).count(),
        "cost": _cost(project, at),
        "quotaEnforced": there.quota if there else limits.exists(),
    }


def own_quota(own: Limit | None) -> dict[str, Decimal | None] | None:
    if own is None:
        return None
    return {quantities.WORDS[name]: quantities.shown_text(name, own.values.get(name)) for name in SHOWN}


def _cost(project: Project, at: datetime) -> dict[str, Any]:
    start = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    found = usage_cost(project, start, end)
    amounts = [{"amount": quantities.major(minor, currency), "currency": currency} for currency, minor in found.items()]
    return {"periodStart": start, "periodEnd": end, "amounts": amounts}
