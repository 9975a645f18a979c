from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.public_ids import PublicId, encode


class ItemKind(models.TextChoices):
    PLAN = "plan", "plan"
    ADD_ON = "add-on", "add-on"


class CatalogItem(models.Model):
    """A plan or an add-on, whatever its versions say. Policies of a plan are set for it."""

    kind = models.CharField(max_length=8, choices=ItemKind.choices)
    code = models.SlugField(max_length=63)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "catalog_items"
        constraints = [
            models.UniqueConstraint(fields=["kind", "code"], name="catalog_code_once_per_kind"),
            models.CheckConstraint(condition=Q(kind__in=ItemKind.values), name="catalog_item_kind_is_known"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def public_id(self) -> str:
        return encode("plan" if self.kind == ItemKind.PLAN else "addon", self.pk)


class CatalogItemVersion(models.Model):
    """What a plan or an add-on was sold as, from one publication on. Never changes; `retired_at` is set once."""

    item = models.ForeignKey(CatalogItem, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    terms = models.TextField(help_text="Its section of the catalog document, canonical JSON.")
    sha256 = models.CharField(max_length=64)
    published_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "catalog_item_versions"
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="catalog_item_version_number_once"),
            models.UniqueConstraint(
                fields=["item"], condition=Q(retired_at=None), name="one_version_of_an_item_is_sold"
            ),
            models.CheckConstraint(
                condition=Q(retired_at=None) | Q(retired_at__gte=models.F("published_at")),
                name="catalog_item_version_retires_after_it_is_published",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} · version {self.number}"


class CatalogPrice(models.Model):
    """What one unit of a version costs for one interval, in minor units of a currency. Never changes."""

    item = models.ForeignKey(CatalogItem, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(CatalogItemVersion, on_delete=models.PROTECT, related_name="prices")
    currency = models.CharField(max_length=3)
    interval = models.CharField(max_length=8)
    amount_minor = models.BigIntegerField()

    class Meta:
        db_table = "catalog_prices"
        constraints = [
            models.UniqueConstraint(
                fields=["version", "currency", "interval"], name="one_price_per_currency_and_interval"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, amount_minor__lte=10**15), name="catalog_price_is_in_range"
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="catalog_price_currency_shape"),
            models.CheckConstraint(
                condition=Q(interval__in=["day", "week", "month", "quarter", "year"]),
                name="catalog_price_interval_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} / {self.interval}"


class CatalogState(models.TextChoices):
    DRAFT = "draft", "draft"
    PUBLISHED = "published", "published"
    DISCARDED = "discarded", "discarded"


class CatalogVersion(PublicId, models.Model):
    """One whole catalog. A draft's document may change; a published one is frozen, and the newest is in force."""

    PUBLIC_PREFIX = "cat"

    state = models.CharField(max_length=12, choices=CatalogState.choices, default=CatalogState.DRAFT)
    number = models.PositiveIntegerField(null=True, unique=True, help_text="Given at publication: 1, 2, 3 …")
    document = models.TextField(help_text="The catalog document, canonical JSON.")
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=64)
    based_on = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="What was in force when the draft was made; another publication since then blocks this one.",
    )
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    published_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "catalog_versions"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CatalogState.values), name="catalog_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="published", number__isnull=False, published_at__isnull=False)
                | Q(~Q(state="published"), number=None, published_at=None),
                name="catalog_publication_has_number_and_time",
            ),
        ]

    def __str__(self) -> str:
        return f"catalog {self.number}" if self.number else f"{self.state} {self.public_id}"


class CatalogLine(models.Model):
    """A plan or an add-on as one published catalog lists it: which version, and what the operator may switch at any
    time without a new version of the item."""

    catalog = models.ForeignKey(CatalogVersion, on_delete=models.PROTECT, related_name="lines")
    item = models.ForeignKey(CatalogItem, on_delete=models.PROTECT, related_name="lines")
    version = models.ForeignKey(CatalogItemVersion, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    self_service = models.BooleanField()
    disabled = models.BooleanField()
    external_ips = models.PositiveIntegerField(null=True, help_text="Enforced limit of a plan; empty means none.")

    class Meta:
        db_table = "catalog_lines"
        constraints = [
            models.UniqueConstraint(fields=["catalog", "item"], name="catalog_lists_an_item_once"),
            models.UniqueConstraint(fields=["catalog", "position"], name="catalog_positions_differ"),
        ]

    def __str__(self) -> str:
        return f"{self.catalog}: {self.item}"
