"""Plans and add-ons as programs read them."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from accounts.api.fields import DecimalText, Moment
from quotas.catalog.terms import AddOn, Plan, Sold
from quotas.catalog_in_force import terms_of
from quotas.models import CatalogLine, ItemKind
from quotas.resource_quantities import canonical


class CatalogPriceOut(serializers.Serializer[Any]):
    amount_minor = serializers.IntegerField(help_text="Minor units of the currency, for one interval.")
    currency = serializers.CharField()
    interval = serializers.CharField()


class ResourcesOut(serializers.Serializer[Any]):
    cpu = serializers.CharField()
    memory = serializers.CharField()
    storage = serializers.CharField()


class SoldOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    self_service = serializers.BooleanField(help_text="Whether customers may choose it.")
    version = serializers.IntegerField()
    published_at = Moment()
    prices = CatalogPriceOut(many=True)
    resources = ResourcesOut()


class PlanOut(SoldOut):
    recommended = serializers.BooleanField()
    features = serializers.ListField(child=serializers.CharField())
    trial_days = serializers.IntegerField()
    burst_ratio = DecimalText(help_text="Limits of CPU and memory are the requests times this.")
    pods = serializers.IntegerField()
    load_balancers = serializers.IntegerField()
    object_storage_gb = DecimalText()
    ipv4 = serializers.IntegerField(allow_null=True, help_text="For show; `external_ips` is what is enforced.")
    external_ips = serializers.IntegerField(allow_null=True, help_text="Public addresses; null: not enforced.")
    limit_range = serializers.DictField(child=serializers.CharField(), help_text="Of containers, pods and volumes.")


class AddOnOut(SoldOut):
    disabled = serializers.BooleanField(help_text="Switched off: sold to nobody, grants nothing.")


def plans(lines: Sequence[CatalogLine]) -> list[dict[str, Any]]:
    """What `PlanOut` writes; items and versions came with the lines."""
    return [_plan(line, terms) for line in lines if isinstance(terms := terms_of(line.version, ItemKind.PLAN), Plan)]


def addons(lines: Sequence[CatalogLine]) -> list[dict[str, Any]]:
    """What `AddOnOut` writes."""
    found = ((line, terms_of(line.version, ItemKind.ADD_ON)) for line in lines)
    return [
        {**_sold(line, terms), "resources": _resources(terms), "disabled": line.disabled}
        for line, terms in found
        if isinstance(terms, AddOn)
    ]


def _plan(line: CatalogLine, plan: Plan) -> dict[str, Any]:
    return {
        **_sold(line, plan),
        "recommended": plan.recommended,
        "features": plan.features,
        "trial_days": plan.trial_days,
        "resources": _resources(plan.requests),
        "burst_ratio": plan.burst_ratio,
        "pods": plan.pods,
        "load_balancers": plan.load_balancers,
        "object_storage_gb": plan.object_storage,
        "ipv4": plan.ipv4,
        "external_ips": line.external_ips,
        "limit_range": plan.limit_range.model_dump(include=set(type(plan.limit_range).model_fields)),
    }


def _sold(line: CatalogLine, terms: Sold) -> dict[str, Any]:
    return {
        "id": line.item.public_id,
        "code": line.item.code,
        "name": terms.display_name,
        "description": terms.description,
        "self_service": line.self_service,
        "version": line.version.number,
        "published_at": line.version.published_at,
        "prices": terms.all_prices(),
    }


def _resources(terms: Any) -> dict[str, str]:
    return {
        "cpu": canonical(terms.cpu),
        "memory": canonical(terms.memory, binary=True),
        "storage": canonical(terms.storage, binary=True),
    }
