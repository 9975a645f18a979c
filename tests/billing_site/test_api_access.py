"""Who may ask for what over the API: every route and method is in the table, or the test fails.

The callers are real: people who signed in, keys, nobody. What a table cannot say is said by the acts' own tests.
"""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from accounts import api_keys, clock
from accounts.abilities import EVERY, OF_ROLES
from accounts.models import AuditLog, OutboxMessage
from tests.billing_site.api_routes import Operation, operations
from tests.billing_site.api_scene import COMMON, Callers, Names, gather_callers, name_everything
from tests.billing_site.api_table import NARROW, NEEDS
from tests.billing_site.back_office_scene import Scene
from tests.cast import ACTOR, Cast

OURS = [one for one in operations() if not one.route.startswith(("/api/billing/", "/api/manage-organization/"))]


@pytest.fixture
def callers(cast: Cast, settings: Settings) -> Callers:
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = settings.API_FAILURES_PER_MINUTE = 10**6
    return gather_callers(cast)


@pytest.fixture
def names(cast: Cast, back_office_scene: Scene) -> Names:
    return name_everything(cast, back_office_scene)


def ask(client: Client, operation: Operation, names: dict[str, str], **headers: str) -> Any:
    path = operation.route
    for name, value in names.items():
        path = path.replace(f"<str:{name}>", value)
    assert "<" not in path, f"api_scene.py names no {path.partition('<')[2]} for {operation.name}"
    return client.generic(
        operation.method, path, b"{}", content_type="application/json", headers={"Idempotency-Key": "matrix", **headers}
    )


def test_every_operation_is_in_the_table() -> None:
    assert {one.name: (one.needs, one.staff) for one in OURS} == NEEDS


@pytest.mark.parametrize("role", [*OF_ROLES, "stranger", "withdrawn", "nobody"])
def test_each_role_gets_as_far_as_its_abilities(role: str, callers: Callers, names: Names) -> None:
    client, held = callers.of(role)
    before = written()
    wrong = []
    for one in OURS:
        status = ask(client, one, names.own).status_code
        if role == "nobody":
            fits = status == 401
        elif (one.needs and one.needs not in held) or one.staff:
            fits = status == 403
        else:
            fits = status not in (401, 500) and (status != 403 or one.name in NARROW)
        if not fits:
            wrong.append((one.name, one.needs, status))
    assert wrong == []
    if not held & {ability for ability in EVERY if ability.endswith(("write", "confirm"))}:
        assert written() == before


def test_staff_reach_what_is_theirs(callers: Callers, names: Names) -> None:
    wrong = []
    for who in ("viewer", "operator", "approver", "platform-admin"):
        client, held = callers.staff(who)
        for one in OURS:
            if one.staff:
                status = ask(client, one, names.own).status_code
                if (status == 403) != (one.staff not in held):
                    wrong.append((who, one.name, status))
    assert wrong == []


def test_what_is_foreign_answers_like_what_is_not(callers: Callers, names: Names) -> None:
    """To an organization's own admin, to a key of it, and whatever is asked of it."""
    key = api_keys.create(
        callers.cast.strangers.pk, "matrix", sorted(OF_ROLES["org-admin"]), actor=ACTOR, at=clock.now()
    ).text
    before = written()
    wrong = []
    for client, headers in ((callers.of("stranger")[0], {}), (Client(), {"Authorization": f"Bearer {key}"})):
        for one in OURS:
            if "<" in one.route and not named_in(one) <= COMMON:
                foreign, unknown = (ask(client, one, named, **headers) for named in (names.own, names.unknown))
                if told(foreign) != told(unknown) or foreign.status_code < 400:
                    wrong.append((one.name, foreign.status_code, unknown.status_code))
    assert wrong == []
    assert written() == before


def test_what_no_operation_has_is_refused(callers: Callers, names: Names) -> None:
    client, _ = callers.of("org-admin")
    known = {one.name for one in OURS}
    for route in {one.route for one in OURS}:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            one = Operation(method, route, "", "")
            if one.name not in known:
                answer = ask(client, one, names.own)
                assert answer.status_code == 405, one.name


def named_in(operation: Operation) -> set[str]:
    return set(re.findall(r"<str:(\w+)>", operation.route))


def told(answer: Any) -> tuple[int, Any]:
    body = answer.json() if answer.content else None
    if isinstance(body, dict):
        body.pop("request_id", None)
    return answer.status_code, body


def written() -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM idempotency_records")
        return AuditLog.objects.count(), OutboxMessage.objects.count(), int(cursor.fetchone()[0])
