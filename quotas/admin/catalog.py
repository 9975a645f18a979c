"""SKUs and their rates; the act that puts a new rate in force."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from accounts.admin.act_pages import ActPage, Cleaned, Done, text_field
from accounts.admin.organizations import NamedAdmin
from accounts.admin.previews import Preview
from accounts.admin.staff_admin import StaffAdmin
from accounts.audit import person
from accounts.clock import now, parse_moment
from accounts.currencies import exponent
from accounts.display import moment, plain, public_id, show_moment
from accounts.errors import NotFound
from accounts.models import User
from quotas.decimals import parse_rate
from quotas.models import Sku, SkuRate
from quotas.price_book import rate_in_force, set_rate


class RateForm(forms.Form):
    sku = text_field("SKU", hint="Its code, such as gpu.")
    currency = text_field("Currency", hint="Three letters, such as USD.")
    rate_per_unit_hour = text_field("Rate per unit and hour", hint="Major units, at most 10 decimals: 2.50")
    effective_from = text_field(
        "In force from", hint="With its time zone: 2026-04-01T00:00:00Z. Never before usage that is already billed."
    )


class SetRate(ActPage):
    name = "set"
    path = "set/"
    title = "Set a rate"
    button = "Set rate"
    explanation = "The new rate takes over at its moment; what is billed stays as it is."
    form_class = RateForm

    def first_values(self, request: HttpRequest) -> Cleaned:
        return {"currency": "USD", **super().first_values(request)}

    def preview(self, cleaned: Cleaned) -> Preview:
        sku = find_sku(cleaned["sku"])
        start = parse_moment(cleaned["effective_from"], field="effective_from")
        exponent(cleaned["currency"])
        rate = parse_rate(cleaned["rate_per_unit_hour"])
        before = rate_in_force(sku.pk, cleaned["currency"], start)
        unit = f"{cleaned['currency']} per {sku.unit} and hour"
        return Preview(
            [
                ("SKU", f"{sku.name} ({sku.code})"),
                ("In force at that moment", f"{plain(before.rate_per_unit_hour)} {unit}" if before else "no rate"),
                ("New rate", f"{plain(rate)} {unit}"),
                ("From", show_moment(start)),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        rate = set_rate(
            find_sku(cleaned["sku"]),
            currency=cleaned["currency"],
            rate_per_unit_hour=cleaned["rate_per_unit_hour"],
            effective_from=parse_moment(cleaned["effective_from"], field="effective_from"),
            actor=person(user),
            at=now(),
        )
        return Done(reverse("admin:quotas_skurate_change", args=[rate.pk]), "The rate is set.")


@admin.register(Sku)
class SkuAdmin(NamedAdmin):
    list_display = ("name", "code", public_id, "unit", moment("created_at", "Created"))
    search_fields = ("name", "code")
    fields = list_display
    empty_text = "Nothing is sold yet."


@admin.register(SkuRate)
class SkuRateAdmin(StaffAdmin):
    act_pages = (SetRate,)
    list_display = ("sku", "rate", "currency", moment("effective_from", "In force from"), moment("created_at", "Set"))
    list_select_related = ("sku",)
    search_fields = ("sku__name", "=sku__code")
    search_help_text = "SKU"
    fields = list_display
    empty_text = "No rate is set."
    empty_hint = "Without a rate in the account's currency nothing can start. Set one with the button above."

    @admin.display(description="Rate per unit and hour")
    def rate(self, row: SkuRate) -> str:
        return plain(row.rate_per_unit_hour)


def find_sku(code: str) -> Sku:
    """The SKU of a code. Raises NotFound."""
    sku = Sku.objects.filter(code=code).first()
    if sku is None:
        raise NotFound("there is no SKU of that code", field="sku")
    return sku
