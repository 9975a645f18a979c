"""Open an organization, and within one a project or a billing account. The pages hang on the organization's."""

from collections.abc import Iterable

from django import forms
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanWidget

from accounts import account_quota, lifecycle, owners
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.previews import Preview
from accounts.admin.within import REHEARSAL, WithinOrganization
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.errors import NotFound
from accounts.models import BillingAccount, LegalEntity, Organization, Project, Settlement, User
from accounts.personal_data import masked_email
from accounts.public_ids import decode

_SLUG_HINT = "Lower-case letters, digits and -; programs and addresses use it."


class OrganizationForm(forms.Form):
    name = text_field("Name", longest=256)
    slug = text_field("Short name", hint=_SLUG_HINT, longest=63)
    owner = text_field("Owner", longest=254, hint="The owner's e-mail address. A person we do not know yet is added.")
    personal = forms.BooleanField(
        label="Personal", required=False, widget=UnfoldBooleanWidget(), help_text="The organization of one person."
    )
    reason = reason_field()


class OpenOrganization(ActPage):
    name = "open"
    path = "open/"
    title = "Open an organization"
    button = "Open it"
    explanation = "A customer. Its owner may do everything in it; projects and billing accounts are opened on its page."
    form_class = OrganizationForm

    def preview(self, cleaned: Cleaned) -> Preview:
        known = owners.find(cleaned["owner"])
        rehearse(lambda: self._open(cleaned, REHEARSAL))
        return Preview(
            [
                ("Organization", f"{cleaned['name'].strip()} ({cleaned['slug']})"),
                ("Kind", "personal" if cleaned["personal"] else "company"),
                ("Owner", f"{masked_email(known)} ({known.public_id})" if known else f"{cleaned['owner']}, new to us"),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        opened = self._open(cleaned, person(user))
        url = reverse("admin:accounts_organization_change", args=[opened.pk])
        return Done(url, f"{opened.name} is open.", result={"organization": opened.public_id})

    def _open(self, cleaned: Cleaned, actor: Actor) -> Organization:
        at = now()
        return lifecycle.open_organization(
            cleaned["name"],
            cleaned["slug"],
            owner=owners.find_or_add(cleaned["owner"]),
            personal=cleaned["personal"],
            actor=actor,
            reason=cleaned["reason"],
            at=at,
        )


class ProjectForm(forms.Form):
    name = text_field("Name", longest=256)
    slug = text_field("Short name", hint=_SLUG_HINT, longest=63)
    reason = reason_field()


class OpenProject(WithinOrganization):
    name = "project"
    path = "<int:pk>/open-project/"
    title = "Open a project"
    button = "Open it"
    explanation = "It pays for nothing until a billing account is bound to it."
    form_class = ProjectForm

    def preview(self, cleaned: Cleaned) -> Preview:
        organization = self.organization()
        rehearse(lambda: self._open(cleaned, REHEARSAL))
        return Preview(
            [
                ("Organization", f"{organization.name} ({organization.public_id})"),
                ("Project", f"{cleaned['name'].strip()} ({cleaned['slug']})"),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        opened = self._open(cleaned, person(user))
        url = reverse("admin:accounts_project_change", args=[opened.pk])
        return Done(url, f"{opened.name} is open.", result={"project": opened.public_id})

    def _open(self, cleaned: Cleaned, actor: Actor) -> Project:
        words = (cleaned["name"], cleaned["slug"])
        return lifecycle.open_project(self.organization(), *words, actor=actor, reason=cleaned["reason"], at=now())


def _entities() -> Iterable[tuple[str, str]]:
    return [(entity.public_id, entity.name) for entity in LegalEntity.objects.order_by("name")]


class AccountForm(forms.Form):
    name = text_field("Name", longest=256)
    currency = text_field("Currency", longest=3, hint="ISO code, such as EUR. It never changes.")
    settlement = forms.ChoiceField(
        label="Settlement",
        choices=Settlement.choices,
        widget=UnfoldAdminSelectWidget(),
        help_text="Prepaid spends what was paid in; postpaid is invoiced. It never changes.",
    )
    legal_entity = forms.ChoiceField(
        label="Legal entity",
        choices=_entities,
        widget=UnfoldAdminSelectWidget(),
        help_text="The company of ours that sells. It never changes.",
    )
    reason = reason_field()


class OpenAccount(WithinOrganization):
    name = "account"
    path = "<int:pk>/open-account/"
    title = "Open a billing account"
    button = "Open it"
    explanation = "It is Ready at once, with the standard payment terms."
    form_class = AccountForm

    def preview(self, cleaned: Cleaned) -> Preview:
        organization = self.organization()
        quota = account_quota.quota_of(organization)
        rehearse(lambda: self._open(cleaned, REHEARSAL))
        return Preview(
            [
                ("Organization", f"{organization.name} ({organization.public_id})"),
                ("Billing account", cleaned["name"].strip()),
                ("Currency and settlement", f"{cleaned['currency']}, {cleaned['settlement']}"),
                ("Legal entity", _entity(cleaned["legal_entity"]).name),
                ("Accounts of the organization", f"{quota.used + 1} of {quota.allowed}"),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        opened = self._open(cleaned, person(user))
        url = reverse("admin:accounts_billingaccount_change", args=[opened.pk])
        return Done(url, f"{opened.name} is open.", result={"account": opened.public_id})

    def _open(self, cleaned: Cleaned, actor: Actor) -> BillingAccount:
        return lifecycle.open_billing_account(
            self.organization(),
            _entity(cleaned["legal_entity"]),
            cleaned["name"],
            currency=cleaned["currency"],
            settlement=cleaned["settlement"],
            actor=actor,
            reason=cleaned["reason"],
            at=now(),
        )


def _entity(public_id: str) -> LegalEntity:
    found = LegalEntity.objects.filter(pk=decode(LegalEntity.PUBLIC_PREFIX, public_id) or 0).first()
    if found is None:
        raise NotFound("there is no legal entity of that id", field="legal_entity")
    return found
