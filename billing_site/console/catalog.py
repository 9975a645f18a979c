"""What an organization may buy for itself: the plans and add-ons of the catalog in force."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.console import quantities
from billing_site.console.described import Number, call
from billing_site.console.envelope import success
from billing_site.console.resources import ConsoleResource
from quotas.catalog.terms import SHIPPED_INTERVAL, AddOn, Catalog, Plan, Sold
from quotas.catalog_in_force import catalog_of, newest
from quotas.quota_arithmetic import Resources


class ConsoleResourcesOut(serializers.Serializer[Any]):
    """Cores, and Gi."""

    cpu = Number()
    memory = Number()
    storage = Number()


class ConsoleSoldOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    displayName = serializers.CharField()
    description = serializers.CharField()
    price = Number(help_text="In major units of the currency.")
    currency = serializers.CharField()
    interval = serializers.CharField()


class ConsolePlanOut(ConsoleSoldOut):
    recommended = serializers.BooleanField()
    features = serializers.ListField(child=serializers.CharField())
    resources = ConsoleResourcesOut()
    burstRatio = Number()
    pods = serializers.IntegerField()
    servicesLB = serializers.IntegerField()
    objectStorage = Number(help_text="GB.")
    ipv4 = serializers.IntegerField(allow_null=True, help_text="For show; eipQuota is enforced.")
    eipQuota = serializers.IntegerField(allow_null=True, help_text="Null where it is not enforced.")


class ConsoleAddOnOut(ConsoleSoldOut):
    resources = ConsoleResourcesOut()


class Plans(ConsoleResource):
    @call("Plans that an organization may choose", ConsolePlanOut, many=True)
    def get(self, request: Request) -> Response:
        """In the catalog's order, without those that only staff assign."""
        catalog = _catalog()
        plans = catalog.plans.items() if catalog else ()
        shown = [_plan(catalog, code, plan) for code, plan in plans if catalog and plan.self_service]
        return success(ConsolePlanOut(shown, many=True).data)


class AddOns(ConsoleResource):
    @call("Add-ons that an organization may buy", ConsoleAddOnOut, many=True)
    def get(self, request: Request) -> Response:
        """In the catalog's order, without those that are switched off or that only staff assign."""
        catalog = _catalog()
        addons = catalog.addons.items() if catalog else ()
        shown = [_addon(code, one) for code, one in addons if one.self_service and not one.disabled]
        return success(ConsoleAddOnOut(shown, many=True).data)


def _catalog() -> Catalog | None:
    found = newest()
    return catalog_of(found) if found else None


def _sold(code: str, sold: Sold) -> dict[str, Any]:
    return {
        "id": code,
        "name": sold.display_name,
        "displayName": sold.display_name,
        "description": sold.description,
        "price": sold.price,
        "currency": sold.currency,
        "interval": SHIPPED_INTERVAL,
    }


def _plan(catalog: Catalog, code: str, plan: Plan) -> dict[str, Any]:
    requests = plan.requests
    return {
        **_sold(code, plan),
        "recommended": plan.recommended,
        "features": plan.features,
        "resources": quantities.resources(Resources(requests.cpu, requests.memory, requests.storage)),
        "burstRatio": plan.burst_ratio,
        "pods": plan.pods,
        "servicesLB": plan.load_balancers,
        "objectStorage": plan.object_storage,
        "ipv4": plan.ipv4,
        "eipQuota": catalog.eip_quota.get(code),
    }


def _addon(code: str, addon: AddOn) -> dict[str, Any]:
    return {**_sold(code, addon), "resources": quantities.resources(addon.grant())}
