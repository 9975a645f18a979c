"""What the first token of a trusted issuer opens: its bearer, their organization and membership, the projects it names.

An issuer opens only in organizations of its own: nobody takes one over by naming it. And nobody becomes a person who
is here already by bearing their address.
"""

import hashlib
from datetime import datetime

from django.db import transaction

from accounts import lifecycle, memberships
from accounts.addresses import NO_ADDRESS
from accounts.audit import Actor, record, system
from accounts.caller_of import OF_SOME_PROJECTS
from accounts.errors import Forbidden, constraints
from accounts.models import (
    ExternalIdentity,
    Membership,
    Organization,
    OrganizationRole,
    ProjectMembership,
    TrustedIssuer,
    User,
)
from accounts.oidc.tokens import Token


def may_open(token: Token, organization: Organization) -> bool:
    """Whether tokens of that issuer open anything in the organization."""
    return token.issuer.trusted and organization.issuer_id == token.issuer.pk and organization.closed_at is None


@transaction.atomic
def bring_in(token: Token, *, at: datetime) -> None:
    """Open whatever is missing until the bearer belongs to the organization. Several at once: the first one opens.

    Raises Forbidden (`person_unknown`, `person_inactive`, `organization_not_of_issuer`, `email_taken`).
    """
    issuer = TrustedIssuer.objects.select_for_update(no_key=True).get(pk=token.issuer.pk)
    if not (issuer.trusted and issuer.active):
        raise Forbidden("nobody is known here by that token", code="person_unknown")
    user = _user(token, at=at)
    if not user.is_active:
        raise Forbidden("you may not sign in", code="person_inactive")
    organization = Organization.objects.select_for_update(no_key=True).filter(slug=token.claims.organization).first()
    if organization is None:
        _open_organization(token, user, at=at)
    elif not may_open(token, organization):
        raise Forbidden("that issuer speaks for another organization", code="organization_not_of_issuer")
    elif not Membership.objects.filter(organization=organization, user=user).exists():
        _join(token, organization, user, at=at)


@transaction.atomic
def open_projects(token: Token, membership: Membership, *, at: datetime) -> None:
    """Open the projects that the token names, and let its bearer into those they never were in."""
    TrustedIssuer.objects.select_for_update(no_key=True).get(pk=token.issuer.pk)
    organization, actor = membership.organization, _actor(token)
    there = {project.slug: project for project in organization.projects.filter(slug__in=token.claims.projects)}
    for slug in token.claims.projects:
        project = there.get(slug) or lifecycle.open_project(organization, slug, slug, actor=actor, at=at)
        if token.claims.role not in OF_SOME_PROJECTS:
            continue
        if not ProjectMembership.objects.filter(membership=membership, project=project).exists():
            memberships.let_in(membership.pk, project.pk, actor=actor, at=at)


def _user(token: Token, *, at: datetime) -> User:
    """The person of the token's subject, added where there is none, without a password."""
    known = ExternalIdentity.objects.filter(issuer=token.issuer, subject=token.claims.subject).select_related("user")
    if identity := known.first():
        return identity.user
    taken = Forbidden("somebody of that address is here already; ask us to connect you", code="email_taken")
    with constraints({"users_email_key": taken}), transaction.atomic():
        user = User.objects.create_user(token.claims.email or _no_address(token))
    ExternalIdentity.objects.create(issuer=token.issuer, subject=token.claims.subject, user=user, created_at=at)
    after = {"user": user.public_id, "issuer": token.issuer.public_id}
    record(_actor(token), "user.open", subject=("user", user.pk), after=after, at=at)
    return user


def _open_organization(token: Token, user: User, *, at: datetime) -> None:
    slug, role, actor = token.claims.organization, token.claims.role, _actor(token)
    lifecycle.open_organization(slug, slug, owner=user, role=role, issuer=token.issuer, actor=actor, at=at)


def _join(token: Token, organization: Organization, user: User, *, at: datetime) -> None:
    """One more member. Where a lesser person's token came first, the first org-admin becomes the owner."""
    admins = organization.memberships.filter(role=OrganizationRole.ORG_ADMIN)
    if token.claims.role == OrganizationRole.ORG_ADMIN and not admins.exists():
        organization.owner = user
        organization.save(update_fields=["owner"])
    memberships.add(organization.pk, user, token.claims.role, actor=_actor(token), at=at)


def _no_address(token: Token) -> str:
    named = f"{token.issuer.issuer}\0{token.claims.subject}"
    return f"{hashlib.sha256(named.encode()).hexdigest()[:40]}{NO_ADDRESS}"


def _actor(token: Token) -> Actor:
    return system(token.issuer.public_id)
