from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts.models import BillingAccount
from accounts.public_ids import PublicId
from quotas.models.customer_segments import CustomerSegment
from quotas.models.meters import Meter


class ChargeType(models.TextChoices):
    USAGE = "Usage"
    ONE_TIME = "OneTime"
    RECURRING = "Recurring"


class ServicePrice(PublicId, models.Model):
    """A price as it is drafted (ServicePricing of seed 000). Offers that are published keep a copy, never this row.

    `document` is a price of docs/pricing.md without currency, metric and `for`, which are columns; or, of the other
    charge types, an amount and when it is due.
    """

    PUBLIC_PREFIX = "prc"

    code = models.SlugField(max_length=63, unique=True)
    charge_type = models.CharField(max_length=16, choices=ChargeType.choices)
    currency = models.CharField(max_length=3)
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, null=True, related_name="prices")
    segment = models.ForeignKey(CustomerSegment, on_delete=models.PROTECT, null=True, related_name="prices")
    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, null=True, related_name="prices")
    document = models.JSONField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        db_table = "service_prices"
        constraints = [
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="service_prices_currency_shape"),
            models.CheckConstraint(
                condition=Q(charge_type="Usage", meter__isnull=False)
                | Q(charge_type__in=["OneTime", "Recurring"], meter=None),
                name="service_prices_usage_has_its_meter",
            ),
            models.CheckConstraint(
                condition=Q(segment=None) | Q(billing_account=None), name="service_prices_have_one_audience"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class LaunchStage(models.TextChoices):
    DRAFT = "Draft"
    GA = "GA"


class Offer(PublicId, models.Model):
    """What is sold together. At GA its prices are copied into `snapshot`, once; from then on only its name changes."""

    PUBLIC_PREFIX = "ofr"

    code = models.SlugField(max_length=63, unique=True)
    display_name = models.CharField(max_length=128)
    launch_stage = models.CharField(max_length=8, choices=LaunchStage.choices, default=LaunchStage.DRAFT)
    charge_types = models.JSONField(default=list)
    snapshot = models.JSONField(null=True)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        db_table = "offers"
        constraints = [
            models.CheckConstraint(
                condition=Q(launch_stage="Draft", snapshot=None, published_at=None)
                | Q(launch_stage="GA", snapshot__isnull=False, published_at__isnull=False),
                name="offers_at_ga_have_their_snapshot",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name


class OfferPrice(models.Model):
    """A price that a draft offer will copy when it is published; afterwards, which prices it copied."""

    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="prices")
    price = models.ForeignKey(ServicePrice, on_delete=models.PROTECT, related_name="offers")

    class Meta:
        db_table = "offer_prices"
        constraints = [models.UniqueConstraint(fields=["offer", "price"], name="a_price_once_in_an_offer")]

    def __str__(self) -> str:
        return f"{self.offer}: {self.price}"


class BillingEntitlement(models.Model):
    """Which offer an account is billed by, over [effective_from, effective_to): exactly one from the first one on."""

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="entitlements")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="entitlements")
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True)

    class Meta:
        db_table = "billing_entitlements"
        constraints = [
            models.UniqueConstraint(
                fields=["billing_account"], condition=Q(effective_to=None), name="one_entitlement_per_account"
            ),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")),
                name="entitlement_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.billing_account}: {self.offer}"
