"""Would another plan do? What is in use against what it would let use, dimension by dimension, and what it costs."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import policy
from accounts.abilities import READ_BILLING
from accounts.api.fields import Text, Whole
from accounts.models import Organization
from accounts.policy_scopes import organization_scope
from billing_site.console import quantities
from billing_site.console.described import Number, call
from billing_site.console.envelope import success
from billing_site.console.resources import ConsoleResource
from quotas.admission import Answer, fits_plan
from quotas.catalog_in_force import catalog_of, in_force
from quotas.holdings import PROJECTS_LIMIT
from quotas.kubernetes.wanted import standing_of
from quotas.models import Subscription
from quotas.plan_price import PlanPrice
from quotas.subscription_items import open_items
from quotas.subscription_outlook import held_price
from quotas.what_if import what_if


class ConsoleWantedAddOn(serializers.Serializer[Any]):
    addonId = Text(max_length=63)
    quantity = Whole(min_value=1)


class ConsoleWantedPlan(serializers.Serializer[Any]):
    planId = Text(max_length=63)
    addons = ConsoleWantedAddOn(many=True, required=False, help_text="What is held now, where it is left out.")


class ConsoleExceededOut(serializers.Serializer[Any]):
    resource = serializers.CharField(help_text="cpu, memory, storage, pods, servicesLB, publicIPv4, objectStorage …")
    used = Number()
    limit = Number()


class ConsoleCostOut(serializers.Serializer[Any]):
    amount = Number(help_text="In major units.")
    currency = serializers.CharField()
    interval = serializers.CharField()


class ConsoleDowngradeOut(serializers.Serializer[Any]):
    planId = serializers.CharField()
    planName = serializers.CharField()
    fits = serializers.BooleanField(allow_null=True, help_text="Null where it depends on usage nobody reported.")
    exceeded = ConsoleExceededOut(many=True)
    unknown = serializers.ListField(child=serializers.CharField())
    cost = ConsoleCostOut(help_text="Of the plan with these add-ons, at the prices they are sold for now.")
    currentCost = ConsoleCostOut(allow_null=True, help_text="At the prices they were sold for.")


class SimulateDowngrade(ConsoleResource):
    @call("Whether usage would fit another plan", ConsoleDowngradeOut, needs=READ_BILLING, takes=ConsoleWantedPlan)
    def post(self, request: Request) -> Response:
        """For organization admins. Changes nothing."""
        organization = self.organization(READ_BILLING)
        body = ConsoleWantedPlan(data=request.data)
        body.is_valid(raise_exception=True)
        return success(ConsoleDowngradeOut(_simulated(organization, body.validated_data)).data)


def _simulated(organization: Organization, wanted: Mapping[str, Any]) -> dict[str, Any]:
    subscription = Subscription.objects.filter(organization=organization).first()
    addons = _addons(subscription, wanted)
    found = fits_plan(organization, wanted["planId"], addons)
    limit = policy.effective(PROJECTS_LIMIT, organization_scope(organization))
    asked = what_if(catalog_of(in_force()), wanted["planId"], addons, projects_limit=limit)
    return {
        "planId": wanted["planId"],
        "planName": asked.held.plan.display_name,
        "fits": found.fits,
        "exceeded": _exceeded(found),
        "unknown": [quantities.WORDS[name] for name in found.unknown],
        "cost": _cost(asked.price),
        "currentCost": _cost(held_price(subscription, open_items(subscription))) if subscription else None,
    }


def _addons(subscription: Subscription | None, wanted: Mapping[str, Any]) -> dict[str, int]:
    if "addons" in wanted:
        counts: dict[str, int] = {}
        for one in wanted["addons"]:
            counts[one["addonId"]] = counts.get(one["addonId"], 0) + one["quantity"]
        return counts
    held = standing_of(subscription) if subscription else None
    return dict(held.addons) if held else {}


def _exceeded(found: Answer) -> list[dict[str, Any]]:
    return [
        {
            "resource": quantities.WORDS[one.dimension],
            "used": quantities.shown_text(one.dimension, one.used),
            "limit": quantities.shown_text(one.dimension, one.limit),
        }
        for one in found.exceeded
    ]


def _cost(price: PlanPrice) -> dict[str, Any]:
    amount = quantities.major(price.amount_minor, price.currency)
    return {"amount": amount, "currency": price.currency, "interval": price.interval}
