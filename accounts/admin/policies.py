"""Policy values: what is set, by key and scope, and the act that sets one."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import approvals, policy, policy_approval
from accounts.admin import previews
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, text_field, waiting
from accounts.admin.filters import choice
from accounts.admin.previews import Preview
from accounts.admin.staff_admin import HistoryStaffAdmin
from accounts.clock import now
from accounts.display import moment
from accounts.errors import NotFound, PolicyInvalid
from accounts.models import Organization, PolicyScope, PolicyValue, User
from accounts.policy_keys import KEYS, PolicyKey
from accounts.public_ids import decode

_HINT = (
    "A whole number; true or false; numbers with commas (80, 95); a word; an amount in minor units, with or without its"
    " currency (10000 or 10000 USD)."
)


class PolicyForm(forms.Form):
    key = forms.ChoiceField(
        choices=lambda: [(key.name, f"{key.name}: {key.effect}") for key in KEYS.values()],
        widget=UnfoldAdminSelectWidget(),
    )
    organization = text_field(
        "Organization", required=False, hint="Its id (org_…), or its short name. Empty sets the value for everyone."
    )
    value = text_field("Value", hint=_HINT)
    reason = reason_field()


class SetPolicy(ActPage):
    name = "set"
    path = "set/"
    title = "Set a policy"
    button = "Set policy"
    explanation = "In force at the next read. Keys that guard money wait for a second person."
    form_class = PolicyForm
    fields_of_errors = {"scope_id": "organization", "scope": "organization", "currency": "value"}

    def preview(self, cleaned: Cleaned) -> Preview:
        shown = preview(proposal_of(cleaned))
        return Preview([*shown.facts, ("Reason", cleaned["reason"])], second_person=shown.second_person)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        proposal = proposal_of(cleaned)
        outcome = approvals.submit(policy_approval.ACT, proposal, maker=user, reason=cleaned["reason"], at=now())
        if outcome.request:
            return waiting(outcome.request.pk)
        url = reverse("admin:accounts_policyvalue_changelist")
        return Done(url, f"{proposal['key']} is set and in force.")


def proposal_of(cleaned: Cleaned) -> dict[str, Any]:
    """What the form asks for, typed. Raises PolicyInvalid, NotFound."""
    key = KEYS[cleaned["key"]]
    value = policy.check_value(key, typed(key, cleaned["value"]))
    organization = find_organization(cleaned["organization"])
    scope = PolicyScope.TENANT if organization else PolicyScope.GLOBAL
    if scope not in key.scopes:
        raise PolicyInvalid(f"{key.name} has no {scope} scope", field="scope")
    return {
        "key": key.name,
        "value": value,
        "scope": str(scope),
        "scope_id": organization.pk if organization else None,
    }


def typed(key: PolicyKey, text: str) -> object:
    """The text as the key's type; what does not fit stays text, and is refused as such."""
    text = text.strip()
    if key.kind == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    if key.kind == "ints":
        return [_whole(part.strip()) for part in text.split(",")]
    if key.kind == "money" and " " in text:
        amount, _, currency = text.partition(" ")
        return {"amount_minor": _whole(amount), "currency": currency.strip()}
    return _whole(text) if key.kind in ("int", "money") else text


def find_organization(text: str) -> Organization | None:
    """By public id or short name; None where the text is empty. Raises NotFound."""
    if not text.strip():
        return None
    key = decode(Organization.PUBLIC_PREFIX, text.strip())
    found = Organization.objects.filter(pk=key) if key else Organization.objects.filter(slug=text.strip())
    organization = found.first()
    if organization is None:
        raise NotFound("no such organization", field="scope_id")
    return organization


def preview(proposal: dict[str, Any]) -> Preview:
    """The value in force and the value proposed."""
    tenant = proposal["scope_id"]
    current = policy.explain(proposal["key"], policy.Scope(tenant_id=tenant))
    organization = Organization.objects.filter(pk=tenant).first() if tenant else None
    guarded = KEYS[proposal["key"]].needs_approval
    return Preview(
        [
            ("Key", proposal["key"]),
            ("For", organization.name if organization else "everyone"),
            ("In force now", f"{current.value} (set for: {current.scope})"),
            ("From now on", str(proposal["value"])),
        ],
        second_person=f"{proposal['key']} guards money." if guarded else "",
    )


previews.register(policy_approval.ACT, preview)


@admin.register(PolicyValue)
class PolicyValueAdmin(HistoryStaffAdmin):
    act_pages = (SetPolicy,)
    list_display = ("key", "scope", "applies_to", "shown_value", moment("updated_at", "Set"))
    list_filter = (choice("scope", "scope", lambda: PolicyScope.choices),)
    search_fields = ("key",)
    search_help_text = "Key"
    fields = list_display
    list_extra_template = "admin/policies/defaults.html"
    empty_text = "No policy is set: the defaults are in force."
    empty_hint = "Set one with the button above."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"policy_keys": KEYS.values(), **(extra_context or {})})

    @admin.display(description="For")
    def applies_to(self, row: PolicyValue) -> str:
        return "everyone" if row.scope_id is None else f"{row.scope} {row.scope_id}"

    @admin.display(description="Value")
    def shown_value(self, row: PolicyValue) -> str:
        return str(row.value)


def _whole(text: str) -> object:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else text
