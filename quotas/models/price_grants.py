from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from accounts.models import BillingAccount
from accounts.public_ids import PublicId
from quotas.models.meters import Meter
from quotas.models.offers import Offer


class AccountDiscount(PublicId, models.Model):
    """A discount granted to one account, on one metric or on all: percent or amount, over [starts_at, ends_at), for
    at most `times` bills. Never changes, but `withdrawn_at` is set once."""

    PUBLIC_PREFIX = "dsc"

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="discounts")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, null=True, related_name="+")
    percent = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    times = models.PositiveIntegerField(null=True)
    granted_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "account_discounts"
        constraints = [
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lte=Decimal(100), amount_minor=None)
                | Q(percent=None, amount_minor__gt=0, amount_minor__lte=10**15),
                name="account_discounts_percent_or_amount",
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="account_discounts_end_after_they_begin"
            ),
            models.CheckConstraint(condition=Q(times=None) | Q(times__gt=0), name="account_discounts_times_from_one"),
        ]

    def __str__(self) -> str:
        return self.public_id


class AccountCommitment(PublicId, models.Model):
    """An amount that an account promised to use of one metric over a term of months. Never changes."""

    PUBLIC_PREFIX = "cmt"

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="commitments")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    in_advance = models.BooleanField()
    months = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    granted_at = models.DateTimeField()

    class Meta:
        db_table = "account_commitments"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, amount_minor__lte=10**15), name="account_commitments_amount_in_range"
            ),
            models.CheckConstraint(
                condition=Q(months__gt=0, months__lte=120, ends_at__gt=F("starts_at")),
                name="account_commitments_have_a_term",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class CommitmentDraw(models.Model):
    """What one month of a term drew from its commitment, minor units; months follow each other. Never changes."""

    commitment = models.ForeignKey(AccountCommitment, on_delete=models.PROTECT, related_name="draws")
    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="+")
    month = models.PositiveSmallIntegerField()
    used_minor = models.BigIntegerField()
    drawn_minor = models.BigIntegerField()
    true_up_minor = models.BigIntegerField()
    billed_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    drawn_at = models.DateTimeField()

    class Meta:
        db_table = "commitment_draws"
        constraints = [
            models.UniqueConstraint(fields=["commitment", "month"], name="a_month_draws_once"),
            models.CheckConstraint(
                condition=Q(month__gt=0, drawn_minor__gte=0, drawn_minor__lte=F("used_minor"), true_up_minor__gte=0),
                name="commitment_draws_are_sums",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.commitment} · {self.month}"


class DiscountUse(models.Model):
    """A discount taken once, on one bill: one granted to the account, or one of a published price by its name.

    Never changes; a trigger counts those of a granted discount.
    """

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="+")
    discount = models.ForeignKey(AccountDiscount, on_delete=models.PROTECT, null=True, related_name="uses")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, null=True, related_name="+")
    metric = models.CharField(max_length=253)
    name = models.CharField(max_length=253, blank=True)
    bill = models.CharField(max_length=128)
    used_at = models.DateTimeField()

    class Meta:
        db_table = "discount_uses"
        constraints = [
            models.CheckConstraint(
                condition=Q(discount__isnull=False, offer=None, name="")
                | Q(~Q(name=""), discount=None, offer__isnull=False),
                name="discount_uses_name_one_discount",
            ),
            models.UniqueConstraint(
                fields=["discount", "bill"], condition=Q(offer=None), name="a_discount_once_on_a_bill"
            ),
            models.UniqueConstraint(
                fields=["billing_account", "offer", "metric", "name", "bill"],
                condition=Q(discount=None),
                name="an_offer_s_discount_once_on_a_bill",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bill}: {self.discount or self.name}"
