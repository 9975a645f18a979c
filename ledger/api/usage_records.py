"""Usage records: the windows of an allocation, each with what it cost and by which rate."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING, READ_PROJECTS
from accounts.api.fields import DecimalText, Moment
from accounts.api.naming import named
from accounts.api.operations import listing
from accounts.api.resources import Resource
from accounts.callers import visible
from accounts.models import BillingAccount
from accounts.public_ids import encode
from ledger.models import UsageRecord
from quotas.models import Allocation


class UsageRecordOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    allocation = serializers.SerializerMethodField()
    billing_account = serializers.SerializerMethodField()
    interval_start = Moment()
    interval_end = Moment()
    quantity = DecimalText()
    rate_per_unit_hour = DecimalText(source="sku_rate.rate_per_unit_hour")
    cost_minor = serializers.IntegerField(help_text="Minor units of the currency.")
    waived_minor = serializers.IntegerField(help_text="Used after the wallet ran dry, and not charged.")
    currency = serializers.CharField(source="sku_rate.currency")

    def get_allocation(self, record: UsageRecord) -> str:
        return encode(Allocation.PUBLIC_PREFIX, record.allocation_id)

    def get_billing_account(self, record: UsageRecord) -> str:
        return encode(BillingAccount.PUBLIC_PREFIX, record.billing_account_id)


class UsageRecords(Resource):
    @listing("List the usage records of an allocation", needs=READ_BILLING, answers=UsageRecordOut, by="interval_start")
    def get(self, allocation: str) -> QuerySet[UsageRecord]:
        """Newest first; a record never changes."""
        rows = visible(
            Allocation.objects.all(),
            self.caller,
            READ_PROJECTS,
            organization="project__organization_id",
            project="project_id",
        )
        found = named(rows, allocation, what="allocation")
        own = UsageRecord.objects.filter(allocation=found).select_related("sku_rate")
        return visible(own, self.caller, READ_BILLING, organization="billing_account__organization_id")
