"""Whether a reader is told personal data as it is: customers their own, staff what they asked for."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from accounts import shown_people
from accounts.api.queries import Query
from accounts.callers import Caller
from accounts.models import BillingAccount, User


class ShowQuery(Query):
    show = serializers.ChoiceField(
        choices=["details"], required=False, help_text="For staff: personal data in full. The asking is kept."
    )


def reads_in_full(context: Mapping[str, Any], organization_id: int, subject: User | BillingAccount) -> bool:
    """`context` is that of a serializer of the API."""
    caller: Caller = context["caller"]
    if not caller.staff or organization_id in caller.seats:
        return True
    return shown_people.is_shown(context["request"]._request, subject)
