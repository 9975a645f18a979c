"""Subscriptions: which plan and add-ons an organization holds, in which state, and what they cost."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.billing_account_names import accounts_of
from accounts.api.fields import Body, Flag, PublicIdOf, Text, Whole
from accounts.api.naming import named, referred
from accounts.api.operations import Answer, act, listing, reading
from accounts.api.organizations import organizations_of
from accounts.api.queries import PageQuery
from accounts.api.resources import Resource
from accounts.callers import Caller, visible
from accounts.models import BillingAccount, Organization
from quotas.api.subscription_answers import SubscriptionOut, told
from quotas.billing_periods import Interval
from quotas.models import Subscription, SubscriptionStatus
from quotas.subscriptions import assign_plan


class SubscriptionQuery(PageQuery):
    organization = serializers.CharField(required=False)
    plan = serializers.CharField(required=False, max_length=63, help_text="Its code.")
    status = serializers.ChoiceField(SubscriptionStatus.choices, required=False)


class AssignPlan(Body):
    organization = PublicIdOf(Organization.PUBLIC_PREFIX, help_text="Public id.")
    plan = Text(max_length=63, help_text="Its code.")
    addons = serializers.DictField(child=Whole(), required=False, help_text="How many of each, by code; exactly these.")
    billing_account = PublicIdOf(BillingAccount.PUBLIC_PREFIX, required=False, help_text="Who pays.")
    interval = serializers.ChoiceField([(one.value, one.value) for one in Interval], required=False)
    time_zone = Text(max_length=64, required=False, help_text="Whose wall clock the periods follow.")
    newest = Flag(default=False, help_text="`true` takes the newest version and price of what is held.")
    reason = Text()


class Subscriptions(Resource):
    @listing("List subscriptions", needs=READ_BILLING, answers=SubscriptionOut, query=SubscriptionQuery, prepare=told)
    def get(
        self, organization: str | None = None, plan: str | None = None, status: str | None = None
    ) -> QuerySet[Subscription]:
        rows = subscriptions_of(self.caller)
        if organization:
            rows = rows.filter(organization=named(organizations_of(self.caller), organization, what="organization"))
        rows = rows.filter(plan__code=plan) if plan else rows
        return rows.filter(status=status) if status else rows

    @act(
        "Assign a plan",
        needs=READ_BILLING,
        staff="operate",
        takes=AssignPlan,
        answers=SubscriptionOut,
        status=201,
        also={200: SubscriptionOut},
    )
    def post(self, given: dict[str, Any], *, at: datetime) -> Any:
        """The organization holds this plan and exactly these add-ons from now on; the first time, 201.

        For finance-operators. What is held already keeps the version and the price it was sold at.
        """
        self.caller.require_staff("operate")
        organization = referred(organizations_of(self.caller), given.pop("organization"), field="organization")
        if "billing_account" in given:
            payer = referred(accounts_of(self.caller), given.pop("billing_account"), field="billing_account")
            given["account"] = payer
        first = not Subscription.objects.filter(organization=organization).exists()
        plan, addons = given.pop("plan"), given.pop("addons", {})
        held = assign_plan(organization, plan, addons, **given, actor=self.caller.actor, at=at)
        answer = SubscriptionOut(told([held])[0]).data
        return Answer(201 if first else 200, answer)


class OneSubscription(Resource):
    @reading("Get a subscription", needs=READ_BILLING, answers=SubscriptionOut)
    def get(self, subscription: str) -> dict[str, Any]:
        return told([named(subscriptions_of(self.caller), subscription, what="subscription")])[0]


def subscriptions_of(caller: Caller) -> QuerySet[Subscription]:
    return visible(Subscription.objects.all(), caller, READ_BILLING)
