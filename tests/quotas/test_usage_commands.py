"""What is in use, reported and asked about on the server."""

from typing import Any

import pytest

from accounts.public_ids import encode
from quotas.models import ReportedUsage
from quotas.subscriptions import assign_plan
from tests.cast import ACTOR, NOON, Cast
from tests.quotas.plans import publish
from tests.quotas.test_plan_commands import refused, run
from tests.row_counts import row_counts

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(cast: Cast) -> str:
    publish()
    assign_plan(cast.acme, "pro-pool", {}, actor=ACTOR, reason="for a test", at=NOON)
    return cast.acme.public_id


def used() -> dict[str, Any]:
    return dict(ReportedUsage.objects.values_list("dimension", "used"))


def test_a_report_is_taken_rehearsed_and_never_replaced_by_an_older_one(acme: str) -> None:
    readings = ("cpu=6500m", "pods=unknown", "--reported-at", "2026-03-10T13:00:00Z")
    before = row_counts()
    assert run("report_usage", acme, *readings, "--dry-run") == {
        "dry_run": True,
        "taken": ["requests.cpu", "pods"],
        "outdated": [],
    }
    assert row_counts() == before
    run("report_usage", "acme", *readings)
    assert used() == {"requests.cpu": 6.5, "pods": None}
    older = run("report_usage", acme, "cpu=1", "--reported-at", "2026-03-10T12:59:59Z")
    assert (older["taken"], older["outdated"]) == ([], ["requests.cpu"])


def test_of_a_project_only_its_own_organization_reports(acme: str, cast: Cast) -> None:
    run("report_usage", acme, "cpu=1", "--project", cast.project.public_id)
    assert ReportedUsage.objects.get().project == cast.project
    theirs = ("report_usage", "elsewhere", "cpu=1", "--project", cast.project.public_id)
    assert refused(*theirs) == ("not_found", "project")


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (("cpu",), "quantity_invalid", "quantity"),
        (("cpu=1", "cpu=2"), "quantity_invalid", "quantity"),
        (("cpu=NaN",), "quantity_invalid", "cpu"),
        (("pods=1.5",), "quantity_invalid", "pods"),
        (("gpus=1",), "dimension_unknown", "dimension"),
        (("cpu=1", "--reported-at", "2999-01-01T00:00:00Z"), "time_invalid", "reported_at"),
        (("cpu=1", "--reported-at", "noon"), "time_invalid", "reported_at"),
        (("cpu=1", "--project", "prj_none"), "not_found", "project"),
    ],
)
def test_what_cannot_be_counted_is_refused(acme: str, arguments: tuple[str, ...], code: str, field: str) -> None:
    assert refused("report_usage", acme, *arguments) == (code, field)
    assert not used()


def test_an_organization_of_that_name_there_is_not(acme: str) -> None:
    for name in ("", "nobody", encode("org", 10**6)):
        assert refused("report_usage", name, "cpu=1") == ("not_found", "organization")
        assert refused("check_quota", name, "cpu=1") == ("not_found", "organization")


def test_what_fits_and_what_does_not(acme: str) -> None:
    run("report_usage", acme, "cpu=6")
    assert run("check_quota", acme, "cpu=2")["fits"] is True
    excess = {"dimension": "requests.cpu", "limit": "8", "used": "6", "requested": "2500m"}
    assert run("check_quota", acme, "cpu=2500m")["exceeded"] == [excess]
    assert run("check_quota", acme, "memory=1Gi") == {
        "fits": None,
        "exceeded": [],
        "unknown": ["requests.memory"],
        "held_back": "",
    }
    smaller = run("check_quota", acme, "--plan", "dev-pool")
    assert [one["dimension"] for one in smaller["exceeded"]] == ["requests.cpu"]
    assert run("check_quota", acme, "--plan", "dev-pool", "--addon", "turbo-x1=1")["exceeded"] == []
    assert refused("check_quota", acme) == ("question_unclear", "wanted")
    assert refused("check_quota", acme, "cpu=1", "--plan", "dev-pool") == ("question_unclear", "wanted")
    assert refused("check_quota", acme, "--plan", "none") == ("unknown_item", "plan")
