"""An allocation as programs read it: what it holds, who pays and at which rate."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from accounts import clock
from accounts.api.fields import DecimalText, Moment
from accounts.models import BillingAccount, BillingAccountBinding, BindingPhase
from accounts.public_ids import encode
from quotas.models import Allocation, AllocationQuantity, AllocationStatus
from quotas.price_book import rates_in_force


class AllocationOut(serializers.Serializer[Any]):
    """A quantity of a SKU held by a project, charged from `started_at` until `released_at`."""

    id = serializers.CharField()
    external_id = serializers.CharField(allow_null=True, help_text="The platform's own id, once a project.")
    organization = serializers.CharField()
    project = serializers.CharField()
    billing_account = serializers.CharField(allow_null=True, help_text="Who pays for the project now.")
    sku = serializers.CharField(help_text="Its code.")
    unit = serializers.CharField()
    quantity = DecimalText(allow_null=True)
    status = serializers.ChoiceField(AllocationStatus.choices)
    currency = serializers.CharField(allow_null=True)
    rate_per_unit_hour = DecimalText(allow_null=True, help_text="Now, in major units; null where nothing is charged.")
    requested_at = Moment()
    started_at = Moment(allow_null=True)
    release_requested_at = Moment(allow_null=True)
    completed_at = Moment(allow_null=True, help_text="When the platform says it was gone.")
    released_at = Moment(
        allow_null=True,
        help_text="Where charging ended: `completed_at`, or later where we were told late; the difference is credited.",
    )


_TIMES = ("requested_at", "started_at", "release_requested_at", "completed_at", "released_at")


def told(rows: Sequence[Allocation]) -> list[dict[str, Any]]:
    """What `AllocationOut` writes; their SKUs came with them. Three queries, however many they are."""
    quantities = AllocationQuantity.objects.filter(allocation__in=rows, effective_to=None)
    held = dict(quantities.values_list("allocation_id", "quantity"))
    payers = _payers({row.project_id for row in rows})
    rates = rates_in_force({row.sku_id for row in rows}, clock.now())
    found = []
    for row in rows:
        payer = payers.get(row.project_id)
        rate = rates.get((row.sku_id, payer.currency)) if payer else None
        charged = row.status != AllocationStatus.RELEASED
        found.append(
            {
                "id": row.public_id,
                "external_id": row.external_id or None,
                "organization": encode("org", row.organization_id),
                "project": encode("prj", row.project_id),
                "billing_account": payer.public_id if payer else None,
                "sku": row.sku.code,
                "unit": row.sku.unit,
                "quantity": held.get(row.pk),
                "status": row.status,
                "currency": payer.currency if payer else None,
                "rate_per_unit_hour": rate.rate_per_unit_hour if rate and charged else None,
                **{name: getattr(row, name) for name in _TIMES},
            }
        )
    return found


def _payers(project_ids: set[int]) -> dict[int, BillingAccount]:
    active = BillingAccountBinding.objects.filter(project_id__in=project_ids, phase=BindingPhase.ACTIVE)
    return {binding.project_id: binding.billing_account for binding in active.select_related("billing_account")}
