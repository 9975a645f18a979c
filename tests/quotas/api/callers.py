"""Clients of the API beside those of members: staff, and a key of the platform's."""

from rest_framework.test import APIClient

from accounts.abilities import OF_STAFF
from accounts.audit import person, system
from accounts.callers import Caller
from accounts.models import User
from accounts.staff_roles import ABILITIES, may
from tests.accounts.api.callers import client_of


def staff(user: User) -> APIClient:
    held = frozenset(ability for ability in ABILITIES if may(user, ability))
    everywhere = frozenset[str]().union(*(OF_STAFF.get(ability, frozenset()) for ability in held))
    return client_of(Caller(actor=person(user), bucket=f"user:{user.pk}", user=user, everywhere=everywhere, staff=held))


def platform(*abilities: str) -> APIClient:
    """A key that holds these abilities at every organization."""
    return client_of(Caller(actor=system("platform"), bucket="key:platform", everywhere=frozenset(abilities)))
