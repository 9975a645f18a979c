"""Close a project or an organization, delete a billing account: each for ever."""

from django import forms

from accounts import account_deletion, closing
from accounts.account_quota import quota_of
from accounts.admin.act_pages import Cleaned, Done, reason_field, rehearse
from accounts.admin.previews import Preview, facts_about
from accounts.admin.within import REHEARSAL, WithinAccount, WithinOrganization, WithinProject
from accounts.audit import person
from accounts.bindings import active_binding
from accounts.clock import now
from accounts.models import User

_FINAL = "This cannot be undone."


class ReasonForm(forms.Form):
    reason = reason_field()


class CloseProject(WithinProject):
    name = "close"
    path = "<int:pk>/close/"
    title = "Close the project"
    button = "Close for ever"
    final = True
    explanation = "For ever. Nothing may run in it; its account stops paying for it, and its past stays to be read."
    form_class = ReasonForm

    def preview(self, cleaned: Cleaned) -> Preview:
        project = self.project()
        bound, key, reason = active_binding(project), project.pk, cleaned["reason"]
        rehearse(lambda: closing.close_project(key, actor=REHEARSAL, reason=reason, at=now()))
        facts = [
            ("Project", f"{project.name} ({project.public_id})"),
            ("Pays now", f"{bound.billing_account.name} ({bound.billing_account.public_id})" if bound else "nobody"),
            ("Reason", reason),
        ]
        return Preview(facts, warning=_FINAL)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        project = closing.close_project(self.kwargs["pk"], actor=person(user), reason=cleaned["reason"], at=now())
        return Done(self.url(), f"{project.name} is closed.", result={"project": project.public_id})


class CloseOrganization(WithinOrganization):
    name = "close"
    path = "<int:pk>/close/"
    title = "Close the organization"
    button = "Close for ever"
    final = True
    explanation = (
        "For ever. Its projects are closed and its billing accounts archived, all or nothing: nothing may run, and "
        "every balance must be zero. Limits go; the book and the audit log stay."
    )
    form_class = ReasonForm

    def preview(self, cleaned: Cleaned) -> Preview:
        organization, reason = self.organization(), cleaned["reason"]
        key = organization.pk
        rehearse(lambda: closing.close_organization(key, actor=REHEARSAL, reason=reason, at=now()))
        facts = [
            ("Organization", f"{organization.name} ({organization.public_id})"),
            ("Projects to be closed", organization.projects.filter(closed_at=None).count()),
            ("Billing accounts to be archived", quota_of(organization).used),
            ("Reason", reason),
        ]
        return Preview(facts, warning=_FINAL)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        key, reason = self.kwargs["pk"], cleaned["reason"]
        organization = closing.close_organization(key, actor=person(user), reason=reason, at=now())
        return Done(self.url(), f"{organization.name} is closed.", result={"organization": organization.public_id})


class DeleteAccount(WithinAccount):
    name = "remove"
    path = "<int:pk>/remove/"
    title = "Delete the account"
    button = "Delete for ever"
    final = True
    explanation = (
        "For ever. The account is archived, its contact, addresses and tax ids are erased, and for the customer it is "
        "gone. What stands on the book stays. No project may be bound to it."
    )
    form_class = ReasonForm

    def preview(self, cleaned: Cleaned) -> Preview:
        account, reason = self.account(), cleaned["reason"]
        key = account.pk
        rehearse(lambda: account_deletion.delete_account(key, actor=REHEARSAL, reason=reason, at=now()))
        facts = [*facts_about(account), ("Phase now", account.phase), ("Phase afterwards", "Archived, deleted")]
        return Preview([*facts, ("Reason", reason)], warning=_FINAL)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        key, reason = self.kwargs["pk"], cleaned["reason"]
        account = account_deletion.delete_account(key, actor=person(user), reason=reason, at=now())
        return Done(self.url(), f"{account.name} is deleted.", result={"account": account.public_id})
