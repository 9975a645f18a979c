"""Who calls the API in stories: a customer's program with a key, and people who signed in."""

import json
from typing import Any

from django.test import Client

from accounts import api_keys, clock
from accounts.abilities import EVERY, OF_THE_PLATFORM
from accounts.models import User
from tests.cast import ACTOR


class Program:
    """A program with a key of its organization, that may do whatever a customer's key may."""

    def __init__(self, organization_id: int) -> None:
        scopes = sorted(EVERY - OF_THE_PLATFORM)
        made = api_keys.create(organization_id, "console", scopes, actor=ACTOR, at=clock.now())
        self._headers = {"Authorization": f"Bearer {made.text}"}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return _send(Client(), method, path, body, self._headers | headers)


class Person:
    """Somebody who signed in with a browser."""

    def __init__(self, user: User) -> None:
        self._client = Client()
        self._client.force_login(user)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return _send(self._client, method, path, body, headers)


def _send(client: Client, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    sent = "" if method == "GET" else json.dumps({} if body is None else body)
    return client.generic(method, path, sent, content_type="application/json", headers=headers)
