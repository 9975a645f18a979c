"""Bind a project to the account that pays for it, and move it to another."""

from abc import abstractmethod

from django import forms
from django.http import HttpRequest

from accounts import bindings
from accounts.admin.act_pages import Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.found_rows import find_account
from accounts.admin.previews import Preview, facts_about
from accounts.admin.within import REHEARSAL, WithinProject
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.models import BillingAccount, BillingAccountBinding, User


class BindForm(forms.Form):
    billing_account = text_field("Billing account", hint="Its id: ba_… It must be Ready and of the same organization.")
    reason = reason_field()


class BindingAct(WithinProject):
    """What binding and rebinding have in common."""

    form_class = BindForm

    def preview(self, cleaned: Cleaned) -> Preview:
        project, account = self.project(), find_account(cleaned["billing_account"])
        current = bindings.active_binding(project)
        rehearse(lambda: self.change(cleaned, REHEARSAL))
        return Preview(
            [
                ("Project", f"{project.name} ({project.public_id})"),
                ("Pays now", _named(current.billing_account) if current else "nobody"),
                *facts_about(account),
                ("From", "this moment on; what was used before stays where it was"),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        binding = self.change(cleaned, person(user))
        payer = binding.billing_account
        named = {"project": self.project().public_id, "account": payer.public_id}
        return Done(self.url(), f"{payer.name} pays from now on.", result=named)

    @abstractmethod
    def change(self, cleaned: Cleaned, actor: Actor) -> BillingAccountBinding:
        """Do it. Raises DomainError."""


class Bind(BindingAct):
    name = "bind"
    path = "<int:pk>/bind/"
    title = "Bind to a billing account"
    button = "Bind it"
    explanation = "The account pays for all that the project uses from now on."

    def first_values(self, request: HttpRequest) -> Cleaned:
        """The organization's only Ready account, where it has one alone."""
        ready = list(self.project().organization.billing_accounts.filter(phase="Ready").order_by("pk")[:2])
        only = {"billing_account": ready[0].public_id} if len(ready) == 1 else {}
        return {**only, **super().first_values(request)}

    def change(self, cleaned: Cleaned, actor: Actor) -> BillingAccountBinding:
        account = find_account(cleaned["billing_account"])
        return bindings.bind(self.project(), account, actor=actor, reason=cleaned["reason"], at=now())


class Rebind(BindingAct):
    name = "rebind"
    path = "<int:pk>/rebind/"
    title = "Move to another billing account"
    button = "Move it"
    explanation = "The old binding ends as the new one begins. Usage before that moment stays with the old account."

    def change(self, cleaned: Cleaned, actor: Actor) -> BillingAccountBinding:
        account = find_account(cleaned["billing_account"])
        return bindings.rebind(self.project(), account, actor=actor, reason=cleaned["reason"], at=now())


def _named(account: BillingAccount) -> str:
    return f"{account.name} ({account.public_id})"
