"""Allocations: what runs, and what the platform starts."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_PROJECTS, USE_PROJECTS
from accounts.api.billing_account_names import account_named, accounts_of
from accounts.api.fields import Body, DecimalText, Flag, PublicIdOf, Text
from accounts.api.naming import named, referred
from accounts.api.operations import act, listing, reading
from accounts.api.organizations import organizations_of
from accounts.api.projects import projects_of
from accounts.api.queries import PageQuery
from accounts.api.resources import Resource
from accounts.callers import Caller, visible
from accounts.models import BillingAccountBinding, BindingPhase, Project
from quotas import allocations
from quotas.api.allocation_answers import AllocationOut, told
from quotas.api.reach import projects_to_use
from quotas.api.skus import sku_named
from quotas.models import Allocation, AllocationStatus


class AllocationQuery(PageQuery):
    organization = serializers.CharField(required=False)
    project = serializers.CharField(required=False)
    billing_account = serializers.CharField(required=False, help_text="Who pays for the project now.")
    sku = serializers.CharField(required=False)
    status = serializers.ChoiceField(AllocationStatus.choices, required=False)
    external_id = serializers.CharField(required=False)


class NewAllocation(Body):
    project = PublicIdOf(Project.PUBLIC_PREFIX, help_text="Public id.")
    sku = Text(max_length=63, help_text="Id or code.")
    quantity = DecimalText()
    external_id = Text(max_length=255, required=False, help_text="The platform's own id, once a project.")
    start = Flag(default=True, help_text="`false` asks only: nothing is charged until `activate`.")
    reason = Text(required=False)


class Allocations(Resource):
    @listing("List allocations", needs=READ_PROJECTS, answers=AllocationOut, query=AllocationQuery, prepare=told)
    def get(self, **filters: str) -> QuerySet[Allocation]:
        return _filtered(self.caller, allocations_of(self.caller), filters)

    @act("Start an allocation", needs=USE_PROJECTS, takes=NewAllocation, answers=AllocationOut, status=201)
    def post(self, given: dict[str, Any], *, at: datetime) -> dict[str, Any]:
        """Charged from now on to the account that pays for the project.

        Refused with `account_halted`, `account_not_ready`, `not_bound` or `no_rate` where nothing may start.
        """
        project = referred(projects_to_use(self.caller), given.pop("project"), field="project")
        self.caller.require(USE_PROJECTS, project.organization_id, project.pk, what="project")
        sku, begin = sku_named(given.pop("sku")), allocations.start if given.pop("start") else allocations.request
        return told([begin(project, sku, **given, actor=self.caller.actor, at=at)])[0]


class OneAllocation(Resource):
    @reading("Get an allocation", needs=READ_PROJECTS, answers=AllocationOut)
    def get(self, allocation: str) -> dict[str, Any]:
        return told([named(allocations_of(self.caller), allocation, what="allocation")])[0]


def allocations_of(caller: Caller) -> QuerySet[Allocation]:
    return visible(Allocation.objects.select_related("sku"), caller, READ_PROJECTS, project="project_id")


def _filtered(caller: Caller, rows: QuerySet[Allocation], filters: dict[str, str]) -> QuerySet[Allocation]:
    exact: dict[str, Any] = {name: filters[name] for name in filters if name in ("status", "external_id")}
    if "organization" in filters:
        exact["organization"] = named(organizations_of(caller), filters["organization"], what="organization")
    if "project" in filters:
        exact["project"] = named(projects_of(caller), filters["project"], what="project")
    if "sku" in filters:
        exact["sku"] = sku_named(filters["sku"])
    rows = rows.filter(**exact)
    if "billing_account" not in filters:
        return rows
    payer = account_named(accounts_of(caller), filters["billing_account"])
    bound = BillingAccountBinding.objects.filter(billing_account=payer, phase=BindingPhase.ACTIVE)
    return rows.filter(project__in=bound.values("project"))
