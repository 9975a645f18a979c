"""Drafts of prices, and the act that saves one. What is published is a copy of them, in the offer."""

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.filters import choice
from accounts.admin.found_rows import find_account
from accounts.admin.organizations import NamedAdmin
from accounts.admin.previews import Preview
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.csv_cells import in_csv
from accounts.currencies import format_minor
from accounts.display import account_link, moment, public_id, show_pairs
from accounts.errors import DomainError
from accounts.models import User
from quotas.admin.price_forms import CODE_HINT, document_field, read_document
from quotas.customer_segments import find_segment
from quotas.meters import find_meter
from quotas.models import ChargeType, ServicePrice
from quotas.plain_codes import is_code
from quotas.pricing.fees import Fee
from quotas.pricing.prices import Price
from quotas.pricing.words import price_facts
from quotas.service_prices import Draft, read_draft, save_price


class PriceForm(forms.Form):
    code = text_field("Code", longest=63, hint=f"{CODE_HINT} A draft of that code is replaced.")
    charge_type = text_field("Charge type", hint="Usage, OneTime or Recurring.")
    currency = text_field("Currency", hint="Three letters, such as USD.")
    metric = text_field("Metric", required=False, longest=253, hint="Of usage: the meter, such as gpu.hours.")
    document = document_field()
    segment = text_field("Segment", required=False, hint="Code of the only customers it is for. May be empty.")
    billing_account = text_field(
        "Billing account", required=False, hint="The only account it is for: ba_… May be empty."
    )
    reason = reason_field()


class SavePrice(ActPage):
    name = "save"
    path = "save/"
    title = "Save a price"
    button = "Save it"
    explanation = "A draft: nobody pays it before an offer with it is published. Published offers stay as they are."
    form_class = PriceForm
    fields_of_errors: ClassVar[dict[str, str]] = {"audience": "segment"}

    def first_values(self, request: Any) -> Cleaned:
        first = {"charge_type": "Usage", "currency": "USD", "document": '{"flat": "2.50"}'}
        code = request.GET.get("code", "")
        row = ServicePrice.objects.filter(code=code).first() if is_code(code) else None
        return {**first, **(_as_typed(row) if row else {}), **super().first_values(request)}

    def preview(self, cleaned: Cleaned) -> Preview:
        draft = _draft(cleaned)
        facts = _facts(read_draft(draft))
        rehearse(lambda: self._save(cleaned, REHEARSAL))
        whom = (
            f"account {draft.account.name}" if draft.account else draft.segment.name if draft.segment else "everybody"
        )
        replaced = ServicePrice.objects.filter(code=draft.code).exists()
        head = [
            ("Code", draft.code),
            ("Charge type", draft.charge_type),
            ("Metric", draft.meter.name if draft.meter else "none"),
            ("For", whom),
            ("Draft of that code", "replaced" if replaced else "none yet"),
        ]
        return Preview([*head, *facts, ("Reason", cleaned["reason"])])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        price = self._save(cleaned, person(user))
        url = reverse("admin:quotas_serviceprice_change", args=[price.pk])
        return Done(url, "The draft is saved.", result={"price": price.public_id, "code": price.code})

    def _save(self, cleaned: Cleaned, actor: Actor) -> ServicePrice:
        return save_price(_draft(cleaned), actor=actor, reason=cleaned["reason"], at=now())


def _draft(cleaned: Cleaned) -> Draft:
    return Draft(
        code=cleaned["code"],
        charge_type=cleaned["charge_type"],
        currency=cleaned["currency"],
        document=read_document(cleaned["document"]),
        meter=find_meter(cleaned["metric"]) if cleaned["metric"] else None,
        segment=find_segment(cleaned["segment"]) if cleaned["segment"] else None,
        account=find_account(cleaned["billing_account"]) if cleaned["billing_account"] else None,
    )


def _facts(read: Price | Fee) -> list[tuple[str, str]]:
    if isinstance(read, Price):
        return price_facts(read)
    return [("Amount", format_minor(read.amount_minor, read.currency)), ("Due", read.when)]


def _as_typed(row: ServicePrice) -> Cleaned:
    """A draft as the form would have been filled in for it."""
    return {
        "code": row.code,
        "charge_type": row.charge_type,
        "currency": row.currency,
        "metric": row.meter.name if row.meter else "",
        "document": json.dumps(row.document, indent=2, ensure_ascii=False),
        "segment": row.segment.code if row.segment else "",
        "billing_account": row.billing_account.public_id if row.billing_account else "",
    }


@admin.display(description="How it is priced")
def rules(row: ServicePrice) -> SafeString | str:
    """The draft in words; where a meter changed since and it no longer reads, why."""
    try:
        return show_pairs(dict(_facts(_read(row))))
    except DomainError as error:
        return format_html('<span class="money negative">{}</span>', error.detail)


@in_csv(("currency", lambda row: row.currency))
@admin.display(description="Price")
def in_short(row: ServicePrice) -> str:
    """Its first rule; the page of the price has them all."""
    try:
        facts = _facts(_read(row))
    except DomainError as error:
        return error.code
    return facts[0][1] + (" …" if len(facts) > 1 else "")


def _read(row: ServicePrice) -> Price | Fee:
    return read_draft(
        Draft(row.code, row.charge_type, row.currency, row.document, row.meter, row.segment, row.billing_account)
    )


@in_csv(("document", lambda row: json.dumps(row.document)))
@admin.display(description="Document")
def document(row: ServicePrice) -> SafeString:
    return format_html("<code>{}</code>", json.dumps(row.document, ensure_ascii=False))


@admin.register(ServicePrice)
class ServicePriceAdmin(NamedAdmin):
    act_pages = (SavePrice,)
    change_form_before_template = "admin/price_book/price_acts.html"
    list_display = (
        "code",
        "charge_type",
        in_short,
        "meter",
        "segment",
        account_link,
        moment("changed_at", "Changed"),
    )
    list_select_related = ("meter", "segment", "billing_account")
    list_filter = (choice("charge_type", "charge type", lambda: ChargeType.choices),)
    search_fields = ("code", "meter__name")
    search_help_text = "Code, metric, or public id"
    fields = (
        *("code", public_id, "charge_type", "currency", "meter", "segment", account_link, rules, document),
        *(moment("created_at", "First saved"), moment("changed_at", "Changed")),
    )
    empty_text = "No price is drafted."
    empty_hint = "Define a meter, then save a price for it with the button above."
