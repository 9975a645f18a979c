"""Billing accounts as answers and as bodies."""

from typing import Any

from rest_framework import serializers

from accounts.account_view import view_of
from accounts.api.fields import Body, PublicIdOf, Text, Whole
from accounts.api.reading_in_full import reads_in_full
from accounts.api.reasons import Reasoned
from accounts.enforcement import FULL
from accounts.models import (
    BillingAccount,
    ConditionStatus,
    InvoiceFrequency,
    LegalEntity,
    Level,
    Organization,
    Phase,
    Settlement,
)

_ADDRESS_LINES = ("line1", "line2", "city", "region", "postal_code")


class TermsOut(serializers.Serializer[Any]):
    net_days = serializers.IntegerField(help_text="An invoice is due after so many.")
    invoice_frequency = serializers.ChoiceField(choices=InvoiceFrequency.choices)
    invoice_day = serializers.IntegerField(help_text="Of the month, 1 to 28.")


class ContactOut(serializers.Serializer[Any]):
    email = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    business_name = serializers.CharField(allow_blank=True)


class AddressOut(serializers.Serializer[Any]):
    country = serializers.CharField(help_text="Two capital letters.")
    line1 = serializers.CharField(allow_blank=True)
    line2 = serializers.CharField(allow_blank=True)
    city = serializers.CharField(allow_blank=True)
    region = serializers.CharField(allow_blank=True)
    postal_code = serializers.CharField(allow_blank=True)


class TaxIdOut(serializers.Serializer[Any]):
    type = serializers.CharField()
    value = serializers.CharField()


class ConditionOut(serializers.Serializer[Any]):
    type = serializers.CharField()
    status = serializers.ChoiceField(choices=ConditionStatus.choices)
    reason = serializers.CharField()
    message = serializers.CharField(allow_blank=True)
    last_transition_at = serializers.CharField()


class EnforcementReasonOut(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment] # a field of ours, not an option of DRF's
    level = serializers.CharField(help_text="warn, restricted or halted.")
    why = serializers.CharField(allow_null=True, help_text="Null where it is a note of our staff.")
    since = serializers.CharField()


class EnforcementOut(serializers.Serializer[Any]):
    level = serializers.ChoiceField(choices=[FULL, *Level.values])
    reasons = EnforcementReasonOut(many=True)


class BillingAccountOut(serializers.Serializer[Any]):
    """Customers read their own details in full; staff masked, or in full with `show=details`."""

    id = serializers.CharField()
    external_id = serializers.CharField(allow_null=True)
    organization = serializers.CharField()
    legal_entity = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField(help_text="ISO 4217; fixed.")
    settlement = serializers.ChoiceField(choices=Settlement.choices)
    phase = serializers.ChoiceField(choices=Phase.choices)
    payment_terms = TermsOut()
    time_zone = serializers.CharField(help_text="In which its days begin.")
    contact = ContactOut(allow_null=True)
    invoice_emails = serializers.ListField(child=serializers.CharField(), help_text="The primary one first.")
    address = AddressOut(allow_null=True)
    tax_ids = TaxIdOut(many=True)
    linked_projects_count = serializers.IntegerField(help_text="Projects that pay through it now.")
    conditions = ConditionOut(many=True)
    enforcement = EnforcementOut()
    created_at = serializers.CharField()
    deleted_at = serializers.CharField(allow_null=True)

    def to_representation(self, account: BillingAccount) -> dict[str, Any]:
        in_full = reads_in_full(self.context, account.organization_id, account)
        return view_of(account, in_full=in_full, for_staff=bool(self.context["caller"].staff))


class TermsIn(Body):
    net_days = Whole(required=False)
    invoice_frequency = Text(max_length=16, required=False)
    invoice_day = Whole(required=False)


class ContactIn(Body):
    email = Text(max_length=254)
    name = Text(max_length=256, required=False, allow_blank=True)
    business_name = Text(max_length=256, required=False, allow_blank=True)


class AddressIn(Body):
    country = Text(max_length=2, help_text="Two capital letters, such as GB.")
    line1 = Text(max_length=256, required=False, allow_blank=True)
    line2 = Text(max_length=256, required=False, allow_blank=True)
    city = Text(max_length=128, required=False, allow_blank=True)
    region = Text(max_length=128, required=False, allow_blank=True)
    postal_code = Text(max_length=32, required=False, allow_blank=True)


class TaxIdIn(Body):
    type = Text(max_length=32, help_text="Such as gb_vat; each type once.")
    value = Text(max_length=64)


class Details(Reasoned):
    """What stands is replaced by what is given; null takes it away."""

    contact = ContactIn(required=False, allow_null=True)
    invoice_emails = serializers.ListField(child=Text(max_length=254), required=False, max_length=100)
    address = AddressIn(required=False, allow_null=True)
    tax_ids = serializers.ListField(child=TaxIdIn(), required=False, max_length=100)
    time_zone = Text(max_length=64, required=False, help_text="An IANA name, such as Europe/Berlin.")
    payment_terms = TermsIn(required=False, help_text="Granted by staff; customers cannot choose them.")


class OpenBillingAccount(Details):
    organization = PublicIdOf(Organization.PUBLIC_PREFIX, help_text="Public id.")
    name = Text(max_length=256)
    currency = Text(max_length=16, help_text="ISO 4217. It never changes.")
    settlement = Text(max_length=16, help_text="`prepaid` or `postpaid`. It never changes.")
    legal_entity = PublicIdOf(
        LegalEntity.PUBLIC_PREFIX, required=False, help_text="Public id; needed where several of ours sell."
    )
    external_id = Text(max_length=255, required=False)


class ChangeBillingAccount(Details):
    currency = Text(max_length=16, required=False, help_text="Always refused: it is fixed.")
