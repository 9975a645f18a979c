"""What an organization holds, what that lets it use, and what it uses; and the routes that change it."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.abilities import READ_BILLING, WRITE_BILLING
from accounts.models import Organization
from billing_site.console import quantities
from billing_site.console.catalog import ConsoleResourcesOut
from billing_site.console.described import ConsoleUsedOut, call
from billing_site.console.envelope import success
from billing_site.console.resources import ConsoleResource
from billing_site.console.starting import ConsolePlanChoice, given
from payments.providers.console import Start
from quotas.dimensions import bounds
from quotas.holdings import holdings
from quotas.kubernetes.wanted import standing_of
from quotas.models import Limit, Subscription
from quotas.quota_arithmetic import Resources
from quotas.usage_report import usage_of

SHOWN = ("requests.cpu", "requests.memory", "requests.storage", "pods")
_UNMANAGED: dict[str, Decimal | None] = dict.fromkeys(("cpu", "memory", "storage"))


class ConsoleHeldAddOnOut(serializers.Serializer[Any]):
    addonId = serializers.CharField()
    quantity = serializers.IntegerField()


class ConsoleUsageOut(serializers.Serializer[Any]):
    cpu = ConsoleUsedOut()
    memory = ConsoleUsedOut()
    storage = ConsoleUsedOut()
    pods = ConsoleUsedOut()


class ConsoleOrganizationSubscriptionOut(serializers.Serializer[Any]):
    """Without a plan: planId, planName and status are null, and nothing is limited."""

    organization = serializers.CharField(help_text="Its short name, which is its namespace.")
    planId = serializers.CharField(allow_null=True)
    planName = serializers.CharField(allow_null=True)
    status = serializers.CharField(allow_null=True)
    providerSubscriptionId = serializers.CharField(allow_null=True)
    providerCustomerId = serializers.CharField(allow_null=True)
    addons = ConsoleHeldAddOnOut(many=True)
    resources = ConsoleResourcesOut()
    usage = ConsoleUsageOut()


class OrganizationSubscription(ConsoleResource):
    starts = {"POST": Start.SUBSCRIBE, "PUT": Start.CHANGE_PLAN, "DELETE": Start.CANCEL}

    @call("Subscription, limits and usage of the organization", ConsoleOrganizationSubscriptionOut, needs=READ_BILLING)
    def get(self, request: Request) -> Response:
        """For organization admins. CPU and memory are the pair (requests or limits) that is nearer to its bound."""
        return success(ConsoleOrganizationSubscriptionOut(_standing(self.organization(READ_BILLING))).data)

    @call("Subscribe", None, needs=WRITE_BILLING, takes=ConsolePlanChoice)
    def post(self, request: Request) -> Response:
        return self.start(given(ConsolePlanChoice, request.data), needs=WRITE_BILLING)

    @call("Change the plan", None, needs=WRITE_BILLING, takes=ConsolePlanChoice)
    def put(self, request: Request) -> Response:
        return self.start(given(ConsolePlanChoice, request.data), needs=WRITE_BILLING)

    @call("Cancel at the end of the period", None, needs=WRITE_BILLING)
    def delete(self, request: Request) -> Response:
        return self.start({}, needs=WRITE_BILLING)


def _standing(organization: Organization) -> dict[str, Any]:
    subscription = Subscription.objects.filter(organization=organization).first()
    held = standing_of(subscription) if subscription else None
    limits = bounds(Limit.objects.filter(organization=organization, project=None))
    return {
        "organization": organization.slug,
        "planId": held.plan_id if held else None,
        "planName": held.plan_name if held else None,
        "status": held.status if held else None,
        "providerSubscriptionId": None,  # no provider has one of its own yet
        "providerCustomerId": None,
        "addons": [{"addonId": code, "quantity": count} for code, count in held.addons] if held else [],
        "resources": _bought(organization),
        "usage": quantities.usage(usage_of(organization), limits, *SHOWN),
    }


def _bought(organization: Organization) -> dict[str, Decimal | None]:
    """Plan and add-ons, without overhead and burst; whatever is in force meanwhile stands beside what is used."""
    held = holdings([organization.pk]).get(organization.pk)
    if held is None:
        return _UNMANAGED
    plan = held.plan.requests
    granted = (addon.grant().times(count) for addon, count in held.addons)
    return quantities.resources(sum(granted, Resources(plan.cpu, plan.memory, plan.storage)))
