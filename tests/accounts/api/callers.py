"""Callers for tests of the API, as authentication would make them from rows."""

from uuid import uuid4

from rest_framework.test import APIClient

from accounts import staff_roles
from accounts.abilities import OF_ROLES, OF_STAFF
from accounts.audit import Actor, person
from accounts.callers import Caller, Seat
from accounts.models import Organization, Project, User


def member(user: User, organization: Organization, role: str, *projects: Project) -> Caller:
    """A person with a role; at some projects only, where there are any."""
    reached = frozenset(project.pk for project in projects) if projects else None
    seat = Seat(organization.pk, OF_ROLES[role], reached, role)
    return Caller(actor=person(user), bucket=f"user:{user.pk}", user=user, seats={organization.pk: seat})


def client_of(caller: Caller) -> APIClient:
    client = APIClient()
    client.force_authenticate(user=caller.user, token=caller)
    return client


def staff(user: User) -> Caller:
    """A member of our staff, with the abilities of their groups."""
    held = frozenset(ability for ability, yes in staff_roles.abilities_of(user).items() if yes)
    everywhere = frozenset[str]().union(*(OF_STAFF.get(ability, frozenset()) for ability in held))
    return Caller(actor=person(user), bucket=f"user:{user.pk}", user=user, everywhere=everywhere, staff=held)


def platform_key(*scopes: str) -> Caller:
    """A key of the platform's own, for every organization."""
    return Caller(actor=Actor("api_key", "platform"), bucket=f"key:{uuid4()}", everywhere=frozenset(scopes))
