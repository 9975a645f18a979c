"""Which provider customers start payments with, who switched it, and the act that does."""

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import billing_provider
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field
from accounts.admin.previews import Preview
from accounts.admin.staff_admin import StaffAdmin
from accounts.clock import now
from accounts.display import moment
from accounts.models import ProviderSwitch, User
from payments import registry
from payments.provider_switch import switch_provider, wanted
from payments.providers.contract import Provider


def _choices() -> list[tuple[str, str]]:
    return [(name, registry.provider(name).label) for name in registry.names()]


class SwitchForm(forms.Form):
    provider = forms.ChoiceField(label="Provider", choices=_choices, widget=UnfoldAdminSelectWidget())
    reason = reason_field()


class SwitchProvider(ActPage):
    name = "switch"
    path = "switch/"
    title = "Switch the payment provider"
    button = "Switch"
    explanation = "For what customers start from now on. What was begun with another provider goes on with that one."
    ability = "administer"
    form_class = SwitchForm

    def first_values(self, request: HttpRequest) -> Cleaned:
        return {"provider": billing_provider.in_force(), **super().first_values(request)}

    def preview(self, cleaned: Cleaned) -> Preview:
        before, chosen = wanted(cleaned["provider"])
        followed = settings.KUBECONFIG_PATH and chosen.name == "none"
        return Preview(
            [
                ("Now", before.provider),
                ("From now on", chosen.name),
                ("Customers may start", _offer(chosen)),
                ("Reason", cleaned["reason"]),
            ],
            warning="What others write in the cluster is followed from then on." if followed else "",
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        switch = switch_provider(cleaned["provider"], actor=user, reason=cleaned["reason"], at=now())
        url = reverse("admin:accounts_providerswitch_changelist")
        return Done(url, f"Payments start with {switch.provider} now.", result={"provider": switch.provider})


@admin.register(ProviderSwitch)
class ProviderSwitchAdmin(StaffAdmin):
    act_pages = (SwitchProvider,)
    list_display = ("provider", "replaced", "switched_by", moment("switched_at", "Switched"))
    list_select_related = ("switched_by",)
    fields = (*list_display, "reason")
    empty_text = "The provider was never switched."
    empty_hint = "Until then the one that BILLING_PROVIDER names is in force."


def _offer(provider: Provider) -> str:
    return ", ".join(provider.console().offered()) or "nothing"
