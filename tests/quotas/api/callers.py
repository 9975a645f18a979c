"""Clients of the API beside those of members: staff, and a key of the platform's."""

from rest_framework.test import APIClient

from accounts import caller_of
from accounts.audit import Actor
from accounts.callers import Caller
from accounts.models import User
from tests.accounts.api.callers import client_of


def staff(user: User) -> APIClient:
    return client_of(caller_of.of_user(user))


def platform(*abilities: str) -> APIClient:
    """A key that holds these abilities at every organization."""
    return client_of(Caller(Actor("api_key", "key_platform"), bucket="key:platform", everywhere=frozenset(abilities)))
