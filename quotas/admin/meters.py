"""Meters: what usage is measured in; defined, published and retired here."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.http import Http404
from django.urls import reverse

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.filters import choice
from accounts.admin.organizations import NamedAdmin
from accounts.admin.previews import Preview
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.csv_cells import in_csv
from accounts.display import moment, public_id, tag
from accounts.models import User
from quotas import meters
from quotas.admin.price_forms import words_of
from quotas.models import Aggregation, Meter, MeterPhase

TONES = {"Published": "good", "Draft": "wait", "Deprecated": "bad"}
_DIMENSIONS = "Names that usage may carry, with commas: region, class. They are only ever added."


class DefineForm(forms.Form):
    metric = text_field("Metric", longest=253, hint="Such as gpu.hours; it never changes.")
    display_name = text_field("Name", longest=128)
    unit = text_field("Unit", longest=64, hint="UCUM: h, GBy, 1. It never changes.")
    aggregation = text_field("Aggregation", hint=f"{', '.join(Aggregation.values)}. It never changes.")
    dimensions = text_field("Dimensions", required=False, longest=3000, hint=_DIMENSIONS)
    reason = reason_field()


class DimensionsForm(forms.Form):
    dimensions = text_field("Dimensions to add", longest=3000, hint=_DIMENSIONS)
    reason = reason_field()


class AdvanceForm(forms.Form):
    reason = reason_field()


def _done(meter: Meter, message: str) -> Done:
    url = reverse("admin:quotas_meter_change", args=[meter.pk])
    return Done(url, message, result={"meter": meter.public_id, "metric": meter.name, "phase": meter.phase})


class DefineMeter(ActPage):
    name = "define"
    path = "define/"
    title = "Define a meter"
    button = "Define it"
    explanation = "A draft. Publish it before prices that use it are sold."
    form_class = DefineForm
    fields_of_errors: ClassVar[dict[str, str]] = {"name": "metric"}

    def preview(self, cleaned: Cleaned) -> Preview:
        rehearse(lambda: self._define(cleaned, REHEARSAL))
        facts = [
            ("Metric", cleaned["metric"]),
            ("Name", cleaned["display_name"]),
            ("Unit", cleaned["unit"]),
            ("Aggregation", cleaned["aggregation"]),
            ("Dimensions", ", ".join(words_of(cleaned["dimensions"])) or "none"),
            ("Reason", cleaned["reason"]),
        ]
        return Preview(facts)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return _done(self._define(cleaned, person(user)), "The meter is defined, as a draft.")

    def _define(self, cleaned: Cleaned, actor: Actor) -> Meter:
        return meters.define_meter(
            cleaned["metric"],
            display_name=cleaned["display_name"],
            unit=cleaned["unit"],
            aggregation=cleaned["aggregation"],
            dimensions=words_of(cleaned["dimensions"]),
            actor=actor,
            reason=cleaned["reason"],
            at=now(),
        )


class OfMeter(ActPage):
    """An act on the meter that the address names."""

    def subject(self) -> str:
        return self.meter().name

    def meter(self) -> Meter:
        found = Meter.objects.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found


class AddDimensions(OfMeter):
    name = "extend"
    path = "<int:pk>/extend/"
    title = "Add dimensions"
    button = "Add them"
    explanation = "Published offers go on matching by the dimensions they were published with."
    form_class = DimensionsForm

    def preview(self, cleaned: Cleaned) -> Preview:
        meter = self.meter()
        rehearse(lambda: self._add(cleaned, REHEARSAL))
        facts = [
            ("Dimensions now", ", ".join(meter.dimensions) or "none"),
            ("Added", ", ".join(words_of(cleaned["dimensions"]))),
            ("Reason", cleaned["reason"]),
        ]
        return Preview(facts)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return _done(self._add(cleaned, person(user)), "The dimensions are declared.")

    def _add(self, cleaned: Cleaned, actor: Actor) -> Meter:
        names = words_of(cleaned["dimensions"])
        return meters.add_dimensions(self.meter().pk, names, actor=actor, reason=cleaned["reason"], at=now())


class AdvanceMeter(OfMeter):
    name = "advance"
    path = "<int:pk>/advance/"
    title = "Move the meter on"
    button = "Move it on"
    explanation = "Draft, Published, Deprecated, Retired: one step, never back."
    form_class = AdvanceForm
    final = True

    def preview(self, cleaned: Cleaned) -> Preview:
        meter = self.meter()
        rehearse(lambda: self._advance(cleaned, REHEARSAL))
        facts = [
            ("Phase now", meter.phase),
            ("Phase afterwards", meters.next_phase(meter)),
            ("Reason", cleaned["reason"]),
        ]
        return Preview(facts, warning="This cannot be undone.")

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        meter = self._advance(cleaned, person(user))
        return _done(meter, f"The meter is {meter.phase}.")

    def _advance(self, cleaned: Cleaned, actor: Actor) -> Meter:
        return meters.advance(self.meter().pk, actor=actor, reason=cleaned["reason"], at=now())


@in_csv(("dimensions", lambda row: ", ".join(row.dimensions)))
@admin.display(description="Dimensions")
def dimensions(row: Meter) -> str:
    return ", ".join(row.dimensions) or "none"


@admin.register(Meter)
class MeterAdmin(NamedAdmin):
    act_pages = (DefineMeter, AddDimensions, AdvanceMeter)
    change_form_before_template = "admin/price_book/meter_acts.html"
    list_display = ("name", tag("phase", "Phase", TONES), "display_name", "unit", "aggregation", dimensions)
    list_filter = (choice("phase", "phase", lambda: MeterPhase.choices),)
    search_fields = ("name", "display_name")
    fields = (
        *("name", public_id, tag("phase", "Phase", TONES), "display_name", "unit", "aggregation", dimensions),
        *(moment("created_at", "Defined"), moment("published_at", "Published")),
    )
    empty_text = "Nothing is measured yet."
    empty_hint = "Define a meter with the button above, publish it, and price it."
