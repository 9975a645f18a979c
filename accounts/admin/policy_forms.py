"""The forms of policies: which key and whose; then the inputs that the key's type asks for."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.act_pages import reason_field, text_field
from accounts.currencies import EXPONENTS
from accounts.policy_keys import KEYS, PolicyKey, takes
from accounts.policy_text import show_value

_KEY_CHOICES = [(key.name, f"{key.name}: {key.effect}") for key in KEYS.values()]
_SUBJECT_HINT = "The id of an organization (org_…), project (prj_…), person (usr_…) or plan. Empty is everyone."


class ChooseForm(forms.Form):
    """Which policy, and whose."""

    key = forms.ChoiceField(label="Policy", choices=_KEY_CHOICES, widget=UnfoldAdminSelectWidget())
    subject = text_field("For", required=False, hint=_SUBJECT_HINT)


class UnsetForm(forms.Form):
    key = forms.ChoiceField(label="Policy", choices=_KEY_CHOICES, widget=text_field("").widget)
    subject = text_field("For", required=False)
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput())
    reason = reason_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("key", "subject"):
            self.fields[name].widget.attrs |= {"readonly": True, "placeholder": "everyone", "style": "opacity: .75"}


class SetForm(UnsetForm):
    value = text_field("Value")
    currency = forms.ChoiceField(
        label="Currency",
        required=False,
        choices=[("", "Whichever applies"), *((code, code) for code in sorted(EXPONENTS))],
        widget=UnfoldAdminSelectWidget(),
        help_text="An amount in a currency holds for accounts of that currency alone.",
    )
    field_order = ("key", "subject", "value", "currency", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        key = KEYS.get(str(self["key"].value()))
        if key is None or key.kind != "money":
            del self.fields["currency"]
        if key:
            self.fields["value"] = value_field(key)


def value_field(key: PolicyKey) -> forms.CharField:
    """The input that a key's type asks for."""
    shipped = f"Shipped: {show_value(key, key.default)}."
    choices = {"true": "On", "false": "Off"} if key.kind == "bool" else {word: word for word in key.words}
    if choices:
        widget = UnfoldAdminSelectWidget(choices=list(choices.items()))
        return forms.CharField(label="Value", help_text=shipped, widget=widget, max_length=200)
    said = takes(key)
    label = "Amount in minor units" if key.kind == "money" else "Value"
    if key.kind == "money":
        said = f"10000 is 100.00 USD, or 10,000 JPY. From {key.minimum:,} to {key.maximum:,}"
    if key.kind == "ints":
        said = f"{said}, with commas between"
    attributes = {} if key.kind == "ints" else {"inputmode": "numeric"}
    return text_field(label, hint=f"{said[:1].upper()}{said[1:]}. {shipped}", attributes=attributes)
