"""Who bears a token, and what they may do now: what the token claims and the rows allow, whichever is less."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import FilteredRelation, Q

from accounts import caller_of
from accounts.callers import Caller
from accounts.errors import Forbidden
from accounts.models import Membership, OrganizationRole, Project
from accounts.oidc import opening
from accounts.oidc.tokens import Token


@dataclass(frozen=True)
class _Named:
    """A project that a token names: whether its bearer is, was, or never was let into it."""

    key: int
    slug: str
    let_in: bool
    withdrawn: bool


def caller(token: Token, *, at: datetime) -> Caller:
    """Whoever bears the token. What a trusted issuer names for the first time is opened.

    Raises Forbidden (`person_unknown`, `person_inactive`, `membership_withdrawn`, `organization_not_of_issuer`,
    `email_taken`, `closed`).
    """
    membership = _membership(token)
    if membership is None:
        opening.bring_in(token, at=at)
        membership = _membership(token)
    if membership is None:
        raise Forbidden("you do not belong to that organization", code="person_unknown")
    _require_standing(membership)
    named = _named(token, membership)
    if _is_new(token, membership, named):
        opening.open_projects(token, membership, at=at)
        membership = _membership(token) or membership
        named = _named(token, membership)
    reached = [project.key for project in named if not project.withdrawn]
    return caller_of.of_token(membership, token.claims.role, reached)


def _membership(token: Token) -> Membership | None:
    """With the projects it is let into; withdrawn ones too, so that they can be refused as such."""
    rows = Membership.objects.filter(
        user__external_identities__issuer=token.issuer,
        user__external_identities__subject=token.claims.subject,
        organization__slug=token.claims.organization,
    )
    return caller_of.with_projects(rows.select_related("user", "organization")).first()


def _require_standing(membership: Membership) -> None:
    if not membership.user.is_active:
        raise Forbidden("you may not sign in", code="person_inactive")
    if membership.withdrawn_at is not None:
        raise Forbidden("you do not belong to that organization any more", code="membership_withdrawn")


def _named(token: Token, membership: Membership) -> list[_Named]:
    if not token.claims.projects or token.claims.role == OrganizationRole.GUEST:
        return []
    rows = (
        Project.objects.filter(organization=membership.organization_id, slug__in=token.claims.projects)
        .annotate(mine=FilteredRelation("members", condition=Q(members__membership=membership.pk)))
        .values_list("pk", "slug", "mine__id", "mine__withdrawn_at")
    )
    return [_Named(key, slug, mine is not None, gone is not None) for key, slug, mine, gone in rows]


def _is_new(token: Token, membership: Membership, named: Iterable[_Named]) -> bool:
    """Whether the token names what was never opened for its bearer, and may."""
    if not opening.may_open(token, membership.organization) or not caller_of.seat_of(membership).abilities:
        return False
    if token.claims.role == OrganizationRole.GUEST:
        return False
    needed = token.claims.role in caller_of.OF_SOME_PROJECTS
    known = {project.slug for project in named if project.let_in or not needed}
    return not set(token.claims.projects) <= known
