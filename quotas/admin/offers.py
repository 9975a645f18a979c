"""Offers: drafted, published once with a second person, and then only renamed."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts import approvals
from accounts.admin import previews
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field, waiting
from accounts.admin.filters import choice
from accounts.admin.organizations import NamedAdmin
from accounts.admin.previews import Preview
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.csv_cells import in_csv
from accounts.currencies import format_minor
from accounts.display import NOTHING, moment, public_id, tag
from accounts.errors import NotFound
from accounts.models import User
from accounts.policy import effective
from quotas import offers
from quotas.admin.price_forms import CODE_HINT, words_of
from quotas.models import LaunchStage, Offer, ServicePrice
from quotas.offer_snapshot import assemble, price_list
from quotas.plain_codes import is_code
from quotas.pricing.words import price_facts

TONES = {"GA": "good", "Draft": "wait"}
_SECOND = "A publication needs a second person."


class OfferForm(forms.Form):
    code = text_field("Code", longest=63, hint=f"{CODE_HINT} A draft of that code is replaced.")
    display_name = text_field("Name", longest=128, hint="What customers read.")
    charge_types = text_field("Charge types", hint="What it charges for: Usage, OneTime, Recurring, with commas.")
    prices = text_field("Prices", longest=20_000, hint="Codes of saved prices, with commas.")
    reason = reason_field()


class PublishForm(forms.Form):
    reason = reason_field()


class RenameForm(forms.Form):
    display_name = text_field("New name", longest=128)
    reason = reason_field()


class SaveOffer(ActPage):
    name = "save"
    path = "save/"
    title = "Save an offer"
    button = "Save it"
    explanation = "A draft. Its prices are copied when it is published."
    form_class = OfferForm

    def first_values(self, request: Any) -> Cleaned:
        code = request.GET.get("code", "")
        row = Offer.objects.filter(code=code).first() if is_code(code) else None
        return {"charge_types": "Usage", **(_as_typed(row) if row else {}), **super().first_values(request)}

    def preview(self, cleaned: Cleaned) -> Preview:
        found = _prices(cleaned["prices"])
        rehearse(lambda: self._save(cleaned, REHEARSAL))
        facts = [
            ("Code", cleaned["code"]),
            ("Name", cleaned["display_name"]),
            ("Charges for", ", ".join(words_of(cleaned["charge_types"]))),
            *((f"Price {price.code}", _short(price)) for price in found),
            ("Reason", cleaned["reason"]),
        ]
        return Preview(facts)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return _done(self._save(cleaned, person(user)), "The draft is saved.")

    def _save(self, cleaned: Cleaned, actor: Actor) -> Offer:
        return offers.save_offer(
            cleaned["code"],
            display_name=cleaned["display_name"],
            charge_types=words_of(cleaned["charge_types"]),
            prices=_prices(cleaned["prices"]),
            actor=actor,
            reason=cleaned["reason"],
            at=now(),
        )


class OfOffer(ActPage):
    """An act on the offer that the address names."""

    def subject(self) -> str:
        return self.offer().code

    def offer(self) -> Offer:
        found = Offer.objects.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found


class PublishOffer(OfOffer):
    name = "publish"
    path = "<int:pk>/publish/"
    title = "Publish the offer"
    button = "Publish it"
    explanation = "Its prices are copied, once. From then on only its name can change."
    form_class = PublishForm
    final = True

    def preview(self, cleaned: Cleaned) -> Preview:
        shown = preview(offers.payload(self.offer()))
        return previews.with_fact(shown, "Reason", cleaned["reason"])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        proposal = offers.payload(self.offer())
        outcome = approvals.submit(offers.ACT, proposal, maker=user, reason=cleaned["reason"], at=now())
        if outcome.request:
            return waiting(outcome.request.pk)
        return _done(self.offer(), "The offer is published.")


class RenameOffer(OfOffer):
    name = "rename"
    path = "<int:pk>/rename/"
    title = "Rename the offer"
    button = "Rename it"
    explanation = "The one thing that may change after publication."
    form_class = RenameForm

    def preview(self, cleaned: Cleaned) -> Preview:
        offer = self.offer()
        rehearse(lambda: self._rename(cleaned, REHEARSAL))
        facts = [
            ("Name now", offer.display_name),
            ("Name afterwards", cleaned["display_name"]),
            ("Reason", cleaned["reason"]),
        ]
        return Preview(facts)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return _done(self._rename(cleaned, person(user)), "The offer is renamed.")

    def _rename(self, cleaned: Cleaned, actor: Actor) -> Offer:
        return offers.rename(self.offer().pk, cleaned["display_name"], actor=actor, reason=cleaned["reason"], at=now())


def preview(proposal: dict[str, Any]) -> Preview:
    """What a publication would copy, as of now."""
    offer = Offer.objects.filter(pk=proposal["offer"]).first()
    if offer is None:
        raise NotFound("no such offer", field="offer")
    snapshot = assemble(offer)
    moved = snapshot.sha256 != proposal["sha256"]
    facts = [("Offer", f"{offer.display_name} ({offer.code})"), *_snapshot_facts(snapshot.document)]
    return Preview(
        facts,
        second_person=_SECOND if effective(offers.POLICY) else "",
        warning="Its prices changed since this was asked; it would be refused." if moved else "",
    )


previews.register(offers.ACT, preview)


def _snapshot_facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    facts = []
    for currency, lists in document.items():
        prices = price_list(document, currency)
        for price in prices.prices if prices else ():
            words = "\n".join(f"{title}: {text}" for title, text in price_facts(price))
            facts.append((f"{price.metric}, {currency}, {price.audience}", words))
        facts += [
            (f"{fee['code']}, {fee['when']}", format_minor(fee["amount_minor"], currency)) for fee in lists["fees"]
        ]
    return facts


def _short(price: ServicePrice) -> str:
    whom = price.segment.code if price.segment else "account" if price.billing_account_id else "everybody"
    return " · ".join(filter(None, (price.charge_type, price.meter.name if price.meter else "", price.currency, whom)))


def _prices(text: str) -> list[ServicePrice]:
    """The prices of codes, each once. Raises NotFound."""
    codes = list(dict.fromkeys(words_of(text)))
    found = {
        price.code: price for price in ServicePrice.objects.select_related("meter", "segment").filter(code__in=codes)
    }
    for code in codes:
        if code not in found:
            raise NotFound(f"there is no price {code}", field="prices")
    return [found[code] for code in codes]


def _as_typed(offer: Offer) -> Cleaned:
    codes = offer.prices.order_by("pk").values_list("price__code", flat=True)
    kinds = ", ".join(offer.charge_types)
    return {
        "code": offer.code,
        "display_name": offer.display_name,
        "charge_types": kinds,
        "prices": ", ".join(codes),
    }


def _done(offer: Offer, message: str) -> Done:
    url = reverse("admin:quotas_offer_change", args=[offer.pk])
    offer.refresh_from_db()
    told = {"offer": offer.public_id, "code": offer.code, "launch_stage": offer.launch_stage}
    return Done(url, message, result=told)


@admin.display(description="Prices")
def prices(row: Offer) -> SafeString | str:
    """What was published, in words; of a draft, which prices it would copy."""
    if row.snapshot is None:
        held = [entry.price for entry in row.prices.select_related("price__meter", "price__segment").order_by("pk")]
        lines = [(f"{price.code}:", _short(price)) for price in held]
    else:
        lines = [(f"{title}:", text) for title, text in _snapshot_facts(row.snapshot)]
    return format_html_join("", '<div class="pair"><b>{}</b> {}</div>', lines) or NOTHING


@in_csv(("charge_types", lambda row: ", ".join(row.charge_types)))
@admin.display(description="Charges for")
def charge_types(row: Offer) -> str:
    return ", ".join(row.charge_types)


@admin.register(Offer)
class OfferAdmin(NamedAdmin):
    act_pages = (SaveOffer, PublishOffer, RenameOffer)
    change_form_before_template = "admin/price_book/offer_acts.html"
    list_display = (
        "display_name",
        "code",
        tag("launch_stage", "Stage", TONES),
        charge_types,
        moment("published_at", "Published"),
    )
    list_filter = (choice("launch_stage", "stage", lambda: LaunchStage.choices),)
    search_fields = ("display_name", "code")
    fields = (
        *("display_name", "code", public_id, tag("launch_stage", "Stage", TONES), charge_types, prices),
        *(moment("created_at", "First saved"), moment("published_at", "Published")),
    )
    empty_text = "Nothing is offered yet."
    empty_hint = "Save prices first, then an offer of them with the button above."
