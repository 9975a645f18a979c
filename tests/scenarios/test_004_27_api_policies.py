"""004-27 and 004-28 over HTTP: a value at each scope is in force over the wider ones at the next request."""

from typing import Any

import pytest

from accounts.lifecycle import open_organization, open_project
from accounts.models import Organization, Project
from tests.accounts.plan_catalog import open_plan
from tests.cast import NOON, Cast
from tests.scenarios.programs import Person

KEY = "allocation.refund_window_days"


@pytest.fixture
def dana(cast: Cast) -> Person:
    return Person(cast.dana)


@pytest.fixture
def personal(cast: Cast) -> Organization:
    """Bob's own organization: the value of a person is in force there."""
    return open_organization("Bob", "bob", owner=cast.bob, personal=True, at=NOON)


@pytest.fixture
def project(personal: Organization) -> Project:
    return open_project(personal, "Own", "own", at=NOON)


def in_force(caller: Person, project: Project) -> tuple[Any, str]:
    answer = caller("GET", f"/api/v1/policies/effective?subject={project.public_id}&key={KEY}").json()
    (found,) = answer["policies"]
    return found["value"], found["scope"]


def test_004_27_each_scope_is_in_force_over_the_wider_ones(
    cast: Cast, dana: Person, personal: Organization, project: Project
) -> None:
    bob = Person(cast.bob)
    names = {"global": "everyone", "tenant": personal.public_id, "project": project.public_id}
    names["user"] = cast.bob.public_id
    said = [(30, "default")]
    for days, scope in enumerate(names, 40):
        assert in_force(bob, project) == said[-1]
        put = dana("PUT", f"/api/v1/policies/{KEY}/{names[scope]}", {"value": days, "reason": "agreed"})
        assert put.status_code == 200, put.json()
        said.append((days, scope))
    for scope in reversed(names):
        assert in_force(bob, project) == in_force(dana, project) == said.pop()
        dana("DELETE", f"/api/v1/policies/{KEY}/{names[scope]}", {"reason": "no longer"})
    assert in_force(bob, project) == (30, "default")


def test_004_27_a_plan_has_values_too(cast: Cast, dana: Person) -> None:
    plan = open_plan(7)
    answer = dana("PUT", f"/api/v1/policies/{KEY}/{plan.public_id}", {"value": 12, "reason": "the plan says so"})
    assert (answer.status_code, answer.json()["scope"]) == (200, "plan")
    shown = dana("GET", f"/api/v1/policies/effective?subject={plan.public_id}&key={KEY}").json()
    assert (shown["policies"][0]["value"], shown["policies"][0]["scope"]) == (12, "plan")


def test_004_28_a_change_is_in_force_at_the_next_request(cast: Cast, dana: Person, project: Project) -> None:
    bob = Person(cast.bob)
    for days in (1, 2, 3):
        dana("PUT", f"/api/v1/policies/{KEY}/everyone", {"value": days, "reason": "trying"})
        assert in_force(bob, project) == (days, "global")
