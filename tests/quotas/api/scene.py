"""An organization with a plan, and clients of those who have to do with it."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from quotas.models import Subscription
from quotas.subscriptions import assign_plan
from tests.accounts.api.callers import client_of, member
from tests.cast import ACTOR, NOON, Cast
from tests.quotas.api.callers import staff
from tests.quotas.plans import publish

V1 = "/api/v1"


@dataclass
class Clients:
    alice: APIClient  # org-admin of Acme
    bob: APIClient  # uses one project of Acme
    viewer: APIClient  # reads Acme's bills
    charlie: APIClient  # org-admin of a stranger
    dana: APIClient  # operator
    erin: APIClient  # approver


def clients(cast: Cast) -> Clients:
    return Clients(
        alice=client_of(member(cast.alice, cast.acme, "org-admin")),
        bob=client_of(member(cast.bob, cast.acme, "project-user", cast.project)),
        viewer=client_of(member(cast.bob, cast.acme, "billing-viewer")),
        charlie=client_of(member(cast.charlie, cast.strangers, "org-admin")),
        dana=staff(cast.dana),
        erin=staff(cast.erin),
    )


def plan_of_acme(cast: Cast, plan: str = "pro-pool", addons: dict[str, int] | None = None) -> Subscription:
    publish()
    return assign_plan(cast.acme, plan, addons or {}, actor=ACTOR, reason="for a test", at=NOON)


def send(client: APIClient, method: str, path: str, body: Any = None, **more: Any) -> Any:
    return getattr(client, method)(f"{V1}{path}", body or {}, format="json", **more)


def rows(client: APIClient, path: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(f"{V1}{path}", query)
    assert answer.status_code == 200, answer.json()
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def queries(client: APIClient, path: str, **query: str) -> int:
    """How often a GET asks the database."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"{V1}{path}", query).status_code == 200
    return len(captured)
