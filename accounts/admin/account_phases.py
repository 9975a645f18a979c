"""Suspend, reactivate and archive a billing account, each on its own page. The pages hang on the account's."""

from typing import ClassVar

from django import forms
from django.http import Http404
from django.urls import reverse

from accounts import account_phases, enforcement
from accounts.account_phases import PhaseChange
from accounts.admin import previews
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field
from accounts.admin.previews import Preview
from accounts.audit import person
from accounts.clock import now
from accounts.models import BillingAccount, User


class PhaseForm(forms.Form):
    reason = reason_field()


class ChangePhase(ActPage):
    """What the three have in common."""

    form_class = PhaseForm
    change: ClassVar[PhaseChange]
    effect: ClassVar[str]

    def subject(self) -> str:
        return self._account().name

    def preview(self, cleaned: Cleaned) -> Preview:
        account = self._account()
        account_phases.check(account, self.change, at=now())
        facts = [
            *previews.facts_about(account),
            ("Phase now", account.phase),
            ("Phase afterwards", str(self.change.reaches)),
            ("Enforcement now", enforcement.level(account.pk)),
            ("What changes", self.effect),
            ("Reason", cleaned["reason"]),
        ]
        return Preview(facts, warning=self._warning())

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        account = account_phases.change(
            self.kwargs["pk"], self.change, actor=person(user), reason=cleaned["reason"], at=now()
        )
        url = reverse("admin:accounts_billingaccount_change", args=[account.pk])
        return Done(
            url, f"{account.name} is {account.phase}.", result={"account": account.public_id, "phase": account.phase}
        )

    def _warning(self) -> str:
        return ""

    def _account(self) -> BillingAccount:
        account = BillingAccount.objects.filter(pk=self.kwargs["pk"]).first()
        if account is None:
            raise Http404
        return account


class Suspend(ChangePhase):
    name = "suspend"
    path = "<int:pk>/suspend/"
    title = "Suspend"
    button = "Suspend the account"
    explanation = "Nothing new starts until the account is reactivated. What runs goes on and is billed."
    change = account_phases.SUSPEND
    effect = "Its projects start nothing and none is bound to it. What runs goes on and is billed; money may arrive."


class Reactivate(ChangePhase):
    name = "reactivate"
    path = "<int:pk>/reactivate/"
    title = "Reactivate"
    button = "Reactivate the account"
    explanation = "The account is Ready again. Whatever else holds it back, such as an empty balance, still does."
    change = account_phases.REACTIVATE
    effect = "Its projects may start again, unless something else holds the account back."


class Archive(ChangePhase):
    name = "archive"
    path = "<int:pk>/archive/"
    title = "Archive"
    button = "Archive for ever"
    final = True
    explanation = "For ever. Nothing may run, and every balance must be zero; afterwards the account takes no money."
    change = account_phases.ARCHIVE
    effect = "Nothing starts, nothing is bound, no money is posted, ever again. What is on the book stays to be read."

    def _warning(self) -> str:
        return "This cannot be undone. Suspend the account instead where it may be needed again."
