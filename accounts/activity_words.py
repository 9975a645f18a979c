"""The sentences of this room's acts, and what its subjects are called."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from accounts.activity import Named, Words, register, register_subject
from accounts.models import ApprovalRequest, BillingAccount, Organization, Project
from accounts.public_ids import encode

_ACCOUNT = {
    "organization.open": "opened the organization {subject}",
    "organization.close": "closed the organization {subject}, with its projects and billing accounts",
    "project.open": "opened the project {subject}",
    "project.close": "closed the project {subject}",
    "project.bind": "let {account} pay for the project {subject}",
    "project.rebind": "moved the project {subject} to {account}",
    "billing_account.open": "opened the billing account {account}",
    "billing_account.suspend": "suspended the billing account {account}",
    "billing_account.reactivate": "reactivated the billing account {account}",
    "billing_account.archive": "archived the billing account {account}",
    "billing_account.delete": "deleted the billing account {account}",
    "feature.grant": "granted the feature {after.feature}",
    "feature.revoke": "took the feature {after.feature} back",
}
_DETAILS = {
    "billing_account.set_terms": "changed the payment terms of {account}: due after {after.net_days} days, "
    "{after.invoice_frequency}, on day {after.invoice_day}",
    "billing_account.set_time_zone": "changed the time zone of {account} from {before.time_zone} to {after.time_zone}",
    "billing_account.set_contact": "changed the contact of {account}",
    "billing_account.set_invoice_emails": "changed where invoices of {account} go",
    "billing_account.set_address": "changed the address of {account}",
    "billing_account.set_tax_ids": "changed the tax ids of {account}",
}
_APPROVALS = {
    "approval.request": "asked a second person to approve: {subject}",
    "approval.approve": "approved: {subject}",
    "approval.reject": "rejected: {subject}",
}
_POLICY = {
    "policy.set": "set the policy {after.key} to {after.value}",
    "policy.unset": "took back what was set of the policy {before.key}",
}
_ACCESS = {
    "personal_data.show": "looked at who {subject} is",
    "personal_data.show_details": "looked at the billing details of {account}",
    "membership.add": "let {subject} into {organization} as {after.role}",
    "membership.change_role": "changed the role of {subject} from {before.role} to {after.role}",
    "membership.withdraw": "took the membership of {subject} back",
    "membership.let_in": "let {subject} into the project {after.project}",
    "membership.let_out": "took the project {before.project} from {subject}",
    "api_key.create": "created the API key {after.name}",
    "api_key.revoke": "revoked the API key {after.name}",
    "organization.connect": "let tokens of {after.issuer} bring people into {subject}",
    "issuer.set": "set how tokens of {after.issuer} are accepted",
    "user.open": "added {subject}, by the token of an issuer",
    "staff.set_access": "changed what {subject} may do",
    "outbox.replay": "had a message about {account} sent again",
    "export": "exported a list",
}


def say() -> None:
    """Called once, when the room is ready."""
    for kind, texts in (
        ("account", _ACCOUNT),
        ("details", _DETAILS),
        ("policy", _POLICY),
    ):
        register({action: Words(kind, text) for action, text in texts.items()})
    for kind, texts in (("money", _APPROVALS), ("access", _ACCESS)):
        register({action: Words(kind, text, internal=True) for action, text in texts.items()})
    register({"project.leave": Words("account", "moved the project {subject} away from {account}", aside=True)})
    register_subject("organization", _organizations)
    register_subject("project", _projects)
    register_subject("billing_account", _accounts)
    register_subject("user", _people)
    register_subject("approval_request", _approvals)


def _organizations(keys: Collection[int]) -> Mapping[int, Named]:
    found = Organization.objects.filter(pk__in=keys).values_list("pk", "name")
    return {key: (name, reverse("admin:accounts_organization_change", args=[key])) for key, name in found}


def _projects(keys: Collection[int]) -> Mapping[int, Named]:
    found = Project.objects.filter(pk__in=keys).values_list("pk", "name")
    return {key: (name, reverse("admin:accounts_project_change", args=[key])) for key, name in found}


def _accounts(keys: Collection[int]) -> Mapping[int, Named]:
    found = BillingAccount.objects.filter(pk__in=keys).values_list("pk", "name")
    return {key: (name, reverse("admin:accounts_billingaccount_change", args=[key])) for key, name in found}


def _approvals(keys: Collection[int]) -> Mapping[int, Named]:
    found = ApprovalRequest.objects.filter(pk__in=keys).values_list("pk", "summary")
    return {key: (said, reverse("admin:accounts_approvalrequest_change", args=[key])) for key, said in found}


def _people(keys: Collection[int]) -> Mapping[int, Named]:
    """By id: who they are is shown on request, on a page of theirs."""
    return {key: (encode("usr", key), "") for key in keys}
