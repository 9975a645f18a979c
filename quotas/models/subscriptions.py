from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts.models import BillingAccount, Organization
from accounts.public_ids import PublicId
from quotas.models.plans import CatalogItem, CatalogItemVersion, CatalogPrice, ItemKind


class SubscriptionStatus(models.TextChoices):
    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELING = "canceling"
    SUSPENDED = "suspended"
    CANCELED = "canceled"


class Biller(models.TextChoices):
    US = "us"
    PROVIDER = "provider"


class Subscription(PublicId, models.Model):
    """An organization's plan and add-ons. There is one for good: who comes back finds it as it was.

    Periods follow from anchor, interval and time zone; [period_start, period_end) is the one last entered. `due_at` is
    when it next moves by itself: a trial, a period or the grace of a suspension ends.
    """

    PUBLIC_PREFIX = "sub"

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="subscription")
    billing_account = models.ForeignKey(
        BillingAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="subscriptions"
    )
    plan = models.ForeignKey(
        CatalogItem,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="subscriptions",
        help_text="Of its open plan item; a trigger keeps it.",
    )
    status = models.CharField(max_length=12, choices=SubscriptionStatus.choices)
    biller = models.CharField(max_length=8, choices=Biller.choices, default=Biller.US)
    currency = models.CharField(max_length=3)
    interval = models.CharField(max_length=8)
    time_zone = models.CharField(max_length=64, default="UTC")
    anchor_at = models.DateTimeField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    history = HistoricalRecords()

    class Meta:
        db_table = "subscriptions"
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="subscriptions_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=SubscriptionStatus.values), name="subscription_status_is_known"
            ),
            models.CheckConstraint(condition=Q(biller__in=Biller.values), name="subscription_biller_is_known"),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="subscription_period_has_length"
            ),
            models.CheckConstraint(
                condition=~Q(status="trialing") | Q(trial_ends_at__isnull=False), name="subscription_trial_has_its_end"
            ),
            models.CheckConstraint(
                condition=Q(status="canceled", suspended_at__isnull=False, canceled_at__isnull=False)
                | Q(status="suspended", suspended_at__isnull=False, canceled_at=None)
                | Q(~Q(status__in=["canceled", "suspended"]), suspended_at=None, canceled_at=None),
                name="subscription_status_has_its_times",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class SubscriptionItem(models.Model):
    """A version of a plan or an add-on held over [effective_from, effective_to), at the price it was sold for.

    A trigger lets a row change once: its open end is closed.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="items")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=ItemKind.choices)
    item = models.ForeignKey(CatalogItem, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(CatalogItemVersion, on_delete=models.PROTECT, related_name="subscribed")
    price = models.ForeignKey(CatalogPrice, on_delete=models.PROTECT, related_name="+", db_index=False)
    quantity = models.PositiveIntegerField(default=1)
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True)

    class Meta:
        db_table = "subscription_items"
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(kind="plan", effective_to=None),
                name="one_plan_of_a_subscription_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["subscription", "item"],
                condition=Q(effective_to=None),
                name="one_open_row_of_an_item_per_subscription",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=100_000) & (Q(kind="add-on") | Q(kind="plan", quantity=1)),
                name="subscription_item_quantity_is_in_range",
            ),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")),
                name="subscription_item_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item}"
