"""The people, projects, organizations and accounts that policies are set and asked for."""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from accounts.models import (
    BillingAccount,
    BillingAccountBinding,
    BindingPhase,
    Organization,
    PolicyScope,
    Project,
    User,
)
from accounts.policy_scopes import (
    Scope,
    Subject,
    account_scope,
    find_subject,
    organization_scope,
    register_finder,
    register_subject,
)

_SLUG = re.compile(r"[-a-z0-9_]{1,63}", re.ASCII | re.IGNORECASE)


def register() -> None:
    """Called once, when the room is ready."""
    for scope, model, find in (
        (PolicyScope.USER, User, _person),
        (PolicyScope.PROJECT, Project, _project),
        (PolicyScope.TENANT, Organization, _organization),
    ):
        register_subject(scope, partial(_exists, model), prefix=model.PUBLIC_PREFIX)
        register_finder(model.PUBLIC_PREFIX, find)
    register_finder(BillingAccount.PUBLIC_PREFIX, _account)


def find(text: str) -> Subject:
    """Whom a public id, or the short name of an organization, means; everyone where it is empty. Raises NotFound."""
    text = text.strip()
    if _SLUG.fullmatch(text) and (named := Organization.objects.filter(slug=text).first()):
        return find_subject(named.public_id)
    return find_subject(text)


def _exists(model: type[User] | type[Project] | type[Organization], key: int) -> bool:
    return model._default_manager.filter(pk=key).exists()


def _person(key: int) -> Subject | None:
    """A person is shown by id; their name is for platform-admin."""
    user = User.objects.filter(pk=key).first()
    if user is None:
        return None
    personal = Organization.objects.filter(owner=user, personal=True).first()
    scope = replace(organization_scope(personal), user_id=user.pk) if personal else Scope(user_id=user.pk)
    currency = _currency_of(personal) if personal else None
    return Subject("person", user.public_id, user.public_id, scope, currency, ("user", user.pk))


def _organization(key: int) -> Subject | None:
    organization = Organization.objects.filter(pk=key).first()
    if organization is None:
        return None
    scope, currency = organization_scope(organization), _currency_of(organization)
    return Subject(
        "organization", organization.public_id, organization.name, scope, currency, ("tenant", organization.pk)
    )


def _project(key: int) -> Subject | None:
    project = Project.objects.select_related("organization").filter(pk=key).first()
    return project_subject(project) if project else None


def project_subject(project: Project) -> Subject:
    """A project's scopes, and the currency of the account that pays for it now."""
    bound = BillingAccountBinding.objects.filter(project=project, phase=BindingPhase.ACTIVE)
    owner = organization_scope(project.organization)
    return Subject(
        "project",
        project.public_id,
        project.name,
        replace(owner, project_id=project.pk),
        _only(bound.values_list("billing_account__currency", flat=True)),
        ("project", project.pk),
    )


def _account(key: int) -> Subject | None:
    account = BillingAccount.objects.select_related("organization").filter(pk=key).first()
    if account is None:
        return None
    return Subject("billing account", account.public_id, account.name, account_scope(account), account.currency)


def _currency_of(organization: Organization) -> str | None:
    """The currency of all its accounts, if they share one."""
    return _only(organization.billing_accounts.values_list("currency", flat=True).distinct().order_by()[:2])


def _only(found: Iterable[str]) -> str | None:
    items = list(found)
    return items[0] if len(items) == 1 else None
