"""Plans and add-ons of the catalog in force: those a customer may choose, all of them for staff."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import policy
from accounts.abilities import READ_PROJECTS
from accounts.api.fields import Body, Whole
from accounts.api.operations import asking, listing, reading
from accounts.api.resources import Resource
from accounts.callers import Caller
from accounts.errors import NotFound
from accounts.public_ids import decode
from quotas.api.plan_answers import AddOnOut, CatalogPriceOut, PlanOut, ResourcesOut, addons, plans
from quotas.catalog_in_force import catalog_of, newest
from quotas.holdings import PROJECTS_LIMIT
from quotas.models import CatalogLine, ItemKind
from quotas.what_if import what_if


class PlanQuestion(Body):
    addons = serializers.DictField(child=Whole(), required=False, help_text="How many of each, by code.")
    projects_limit = Whole(max_value=1_000_000, required=False, help_text="How many projects overhead is counted for.")


class PlanQuotaOut(serializers.Serializer[Any]):
    """What somebody would get and pay."""

    plan = serializers.CharField()
    addons = serializers.DictField(child=serializers.IntegerField())
    projects_limit = serializers.IntegerField()
    requests = ResourcesOut()
    limits = serializers.DictField(child=serializers.CharField())
    pods = serializers.IntegerField()
    load_balancers = serializers.IntegerField()
    external_ips = serializers.IntegerField(source="eip", allow_null=True, help_text="Null: not enforced.")
    object_storage_gb = serializers.CharField(source="object_storage")
    price = CatalogPriceOut(help_text="Of plan and add-ons together, a month.")


class Plans(Resource):
    @listing("List plans", needs=READ_PROJECTS, answers=PlanOut, newest_first=False, prepare=plans)
    def get(self) -> QuerySet[CatalogLine]:
        """In the catalog's order."""
        return lines_for(self.caller, ItemKind.PLAN)


class OnePlan(Resource):
    @reading("Get a plan", needs=READ_PROJECTS, answers=PlanOut)
    def get(self, plan: str) -> dict[str, Any]:
        """By id or code."""
        return plans([line_named(self.caller, ItemKind.PLAN, plan)])[0]


class PlanQuota(Resource):
    @asking("Ask what a plan with add-ons would give", needs=READ_PROJECTS, takes=PlanQuestion, answers=PlanQuotaOut)
    def post(self, given: dict[str, Any], *, at: datetime, plan: str) -> dict[str, Any]:
        """Of an active subscription, by the catalog in force."""
        line = line_named(self.caller, ItemKind.PLAN, plan)
        limit = given.get("projects_limit", policy.effective(PROJECTS_LIMIT))
        found = what_if(catalog_of(line.catalog), line.item.code, given.get("addons", {}), projects_limit=limit)
        return {**found.as_json(), "price": found.price}


class AddOns(Resource):
    @listing("List add-ons", needs=READ_PROJECTS, answers=AddOnOut, newest_first=False, prepare=addons)
    def get(self) -> QuerySet[CatalogLine]:
        """In the catalog's order."""
        return lines_for(self.caller, ItemKind.ADD_ON)


class OneAddOn(Resource):
    @reading("Get an add-on", needs=READ_PROJECTS, answers=AddOnOut)
    def get(self, addon: str) -> dict[str, Any]:
        """By id or code."""
        return addons([line_named(self.caller, ItemKind.ADD_ON, addon)])[0]


def lines_for(caller: Caller, kind: str) -> QuerySet[CatalogLine]:
    """Lines of the catalog in force that the caller is shown; none before the first publication."""
    rows = CatalogLine.objects.filter(catalog=newest(), item__kind=kind).select_related("item", "version", "catalog")
    return rows if caller.everywhere else rows.filter(self_service=True, disabled=False)


def line_named(caller: Caller, kind: str, text: str) -> CatalogLine:
    """By id or code. Raises NotFound."""
    key = decode("plan" if kind == ItemKind.PLAN else "addon", text)
    if "\x00" not in text:
        wanted: dict[str, Any] = {"item": key} if key else {"item__code": text}
        for line in lines_for(caller, kind).filter(**wanted):
            return line
    raise NotFound(f"no such {kind}")
