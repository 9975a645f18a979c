"""Assign a plan with add-ons to an organization: what changes is shown before it does."""

import re
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, text_field
from accounts.admin.found_rows import find_account, find_organization
from accounts.admin.previews import Preview
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.currencies import format_minor
from accounts.errors import DomainError
from accounts.models import User
from quotas.addon_words import addons_of
from quotas.admin.subscription_changes import changes
from quotas.admin.subscription_moves import moved
from quotas.billing_periods import Interval
from quotas.catalog_in_force import newest
from quotas.models import CatalogItem, CatalogLine, ItemKind, Subscription
from quotas.subscription_items import open_items, parse_count
from quotas.subscriptions import assign_plan

_SEPARATORS = re.compile(r"[\s,]+")


def plan_choices() -> list[tuple[str, str]]:
    """What the catalog in force lists, then what is no longer sold: who holds that may keep it."""
    lines = _lines(ItemKind.PLAN)
    sold = [(line.item.code, f"{line.item.code}{_note(line)}") for line in lines]
    gone = CatalogItem.objects.filter(kind=ItemKind.PLAN).exclude(pk__in=[line.item_id for line in lines])
    return [*sold, *((item.code, f"{item.code}, no longer sold") for item in gone.order_by("code"))]


def addon_hint() -> str:
    """What may be typed, and what each costs."""
    lines = _lines(ItemKind.ADD_ON)
    if not lines:
        return "The catalog lists none."
    offered = "; ".join(f"{line.item.code}{_note(line)}" for line in lines)
    return f"Exactly what is held afterwards, one a line: {lines[0].item.code}=2. Empty means none. Sold: {offered}."


class AssignForm(forms.Form):
    organization = text_field("Organization", hint="Its id, org_…, or its short name.")
    plan = forms.ChoiceField(label="Plan", choices=plan_choices, widget=UnfoldAdminSelectWidget())
    addons = forms.CharField(
        label="Add-ons", required=False, max_length=5000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    billing_account = text_field(
        "Billing account",
        required=False,
        hint="Its id: ba_…. Empty means the one that pays now, or the only one that fits.",
    )
    interval = forms.ChoiceField(
        label="Paid by the",
        choices=[(word.value, word.value) for word in Interval],
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="A running subscription keeps its own.",
    )
    time_zone = text_field(
        "Time zone",
        required=False,
        hint="Whose wall clock the periods follow. Of a first subscription; empty means UTC.",
    )
    newest = forms.BooleanField(
        label="Newest terms",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Take the version and price that are sold now, also of what is held already.",
    )
    reason = reason_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["addons"].help_text = addon_hint()


class AssignPlan(ActPage):
    name = "assign"
    path = "assign/"
    title = "Assign a plan"
    button = "Assign it"
    explanation = "From now on the organization holds this plan and exactly these add-ons; the limits follow at once."
    form_class = AssignForm
    fields_of_errors = {"addon": "addons", "quantity": "addons", "currency": "billing_account"}

    def first_values(self, request: HttpRequest) -> Cleaned:
        """What is held now, where the organization is named: then only what differs is typed."""
        asked = super().first_values(request)
        try:
            subscription = Subscription.objects.filter(organization=find_organization(asked["organization"])).first()
        except (KeyError, DomainError):
            subscription = None
        return {"interval": Interval.MONTH.value, **(_held(subscription) if subscription else {}), **asked}

    def preview(self, cleaned: Cleaned) -> Preview:
        at, organization = now(), find_organization(cleaned["organization"])
        told = changes(organization, lambda: self._assign(cleaned, REHEARSAL, at))
        names = ("Organization", f"{organization.name} ({organization.public_id})")
        return Preview([names, *told, ("Reason", cleaned["reason"])])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return moved(self._assign(cleaned, person(user), now()), "The plan is assigned, and the limits follow it.")

    def _assign(self, cleaned: Cleaned, actor: Actor, at: datetime) -> Subscription:
        organization = find_organization(cleaned["organization"])
        texts = filter(None, _SEPARATORS.split(cleaned["addons"]))
        return assign_plan(
            organization,
            cleaned["plan"],
            {code: parse_count(count) for code, count in addons_of(texts).items()},
            account=find_account(named) if (named := cleaned["billing_account"]) else None,
            interval=cleaned["interval"] or Interval.MONTH,
            time_zone=cleaned["time_zone"] or "UTC",
            newest=cleaned["newest"],
            actor=actor,
            reason=cleaned["reason"],
            at=at,
        )


def _held(subscription: Subscription) -> Cleaned:
    items = open_items(subscription)
    account = subscription.billing_account
    return {
        "plan": next((row.item.code for row in items if row.kind == ItemKind.PLAN), ""),
        "addons": "\n".join(f"{row.item.code}={row.quantity}" for row in items if row.kind == ItemKind.ADD_ON),
        "billing_account": account.public_id if account else "",
        "interval": subscription.interval,
        "time_zone": subscription.time_zone,
    }


def _lines(kind: str) -> list[CatalogLine]:
    current = newest()
    rows = CatalogLine.objects.filter(catalog=current, item__kind=kind).select_related("item", "version")
    return list(rows.prefetch_related("version__prices").order_by("position")) if current else []


def _note(line: CatalogLine) -> str:
    prices = sorted(line.version.prices.all(), key=lambda price: price.pk)
    first = f": {format_minor(prices[0].amount_minor, prices[0].currency)} a {prices[0].interval}" if prices else ""
    hidden = "" if line.self_service else ", by staff only"
    return f"{first}{hidden}{', switched off' if line.disabled else ''}"
