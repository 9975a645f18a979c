"""Whoever calls, made from rows: a person's memberships, a key's scopes, a token's claims over a membership."""

from collections.abc import Collection

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, QuerySet, Value

from accounts import staff_roles
from accounts.abilities import OF_ROLES, OF_STAFF
from accounts.audit import Actor, person
from accounts.callers import Caller, Seat
from accounts.models import ApiKey, Membership, OrganizationRole, User

# From the strongest to the weakest, for the name of a role where two meet; what is allowed is what both allow.
STRENGTH = tuple(OrganizationRole.values)
OF_SOME_PROJECTS = frozenset({OrganizationRole.PROJECT_USER.value})


def of_user(user: User) -> Caller:
    """A person by themselves, with a seat at each organization they belong to; staff with their abilities as well."""
    if not user.is_active:
        return Caller(person(user), bucket=f"user:{user.pk}", user=user)
    staff = frozenset(ability for ability, held in staff_roles.abilities_of(user).items() if held)
    in_force = Membership.objects.filter(user=user, withdrawn_at=None)
    seats = {row.organization_id: seat_of(row) for row in with_projects(in_force)}
    return Caller(
        person(user),
        bucket=f"user:{user.pk}",
        user=user,
        seats=seats,
        everywhere=frozenset().union(*(OF_STAFF.get(ability, frozenset()) for ability in staff)),
        staff=staff,
    )


def of_key(key: ApiKey) -> Caller:
    """A program: at its organization, or everywhere with a key of the platform's own."""
    actor, bucket, scopes = Actor("api_key", key.public_id), f"key:{key.pk}", frozenset(key.scopes)
    if key.organization_id is None:
        return Caller(actor, bucket=bucket, everywhere=scopes)
    return Caller(actor, bucket=bucket, seats={key.organization_id: Seat(key.organization_id, scopes)})


def of_token(membership: Membership, role: str, project_ids: Collection[int]) -> Caller:
    """A person by a token, at the one organization it names: what the row and the claim both allow.

    `membership` comes from `with_projects`; `project_ids` are the projects that the claim names. Staff have no more
    than others by a token: it shows no second factor.
    """
    user, seat = membership.user, seat_of(membership)
    projects = seat.project_ids
    if role in OF_SOME_PROJECTS:
        named = frozenset(project_ids)
        projects = named if projects is None else projects & named
    weaker = max(membership.role, role, key=STRENGTH.index)
    met = Seat(membership.organization_id, seat.abilities & OF_ROLES[role], projects, weaker)
    return Caller(person(user), bucket=f"user:{user.pk}", user=user, seats={membership.organization_id: met})


def with_projects(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    """Each with the ids of the projects it is let into."""
    let_in = Q(projects__withdrawn_at=None, projects__id__isnull=False)
    found = ArrayAgg("projects__project_id", filter=let_in, default=Value([]))
    return memberships.annotate(project_ids=found)


def seat_of(membership: Membership) -> Seat:
    """Of a row that `with_projects` gave."""
    some: list[int] = membership.project_ids  # type: ignore[attr-defined]  # annotated
    projects = frozenset(some) if membership.role in OF_SOME_PROJECTS else None
    return Seat(membership.organization_id, OF_ROLES[membership.role], projects, membership.role)
