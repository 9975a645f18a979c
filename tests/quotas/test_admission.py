"""Does it fit: the limits in force against what was last reported."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.errors import DomainError
from quotas.admission import Excess, fits_plan, may_use
from quotas.errors import UnknownItem
from quotas.models import Subscription
from quotas.project_quotas import set_project_quota
from quotas.subscriptions import assign_plan, move
from quotas.usage_report import report
from tests.cast import ACTOR, NOON, Cast
from tests.quotas.plans import publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(cast: Cast) -> Cast:
    """Acme holds pro-pool: 8 cores, 24Gi, 160Gi, 200 pods."""
    publish()
    assign_plan(cast.acme, "pro-pool", {}, actor=ACTOR, reason="for a test", at=NOON)
    return cast


def used(cast: Cast, **more: Any) -> None:
    readings = {"cpu": "7", "memory": "20Gi", "storage": "100Gi", "pods": "10", **more}
    report(cast.acme, readings, reported_at=NOON, at=NOON)


def test_it_fits_up_to_the_limit_and_not_beyond(acme: Cast) -> None:
    used(acme)
    assert may_use(acme.acme, {"cpu": "1", "memory": "4Gi"}).fits is True
    answer = may_use(acme.acme, {"cpu": "1001m", "memory": "4097Mi", "storage": "60Gi"})
    assert answer.fits is False
    assert answer.exceeded == (
        Excess("requests.cpu", "8", "7", "1001m"),
        Excess("requests.memory", "24Gi", "20Gi", "4097Mi"),
    )


def test_what_nobody_reported_is_unknown_unless_it_can_never_fit(acme: Cast) -> None:
    asked = may_use(acme.acme, {"cpu": "1"})
    assert (asked.fits, asked.unknown) == (None, ("requests.cpu",))
    assert may_use(acme.acme, {"cpu": "9"}).exceeded == (Excess("requests.cpu", "8", None, "9"),)


def test_a_suspended_organization_is_let_nothing_new(acme: Cast) -> None:
    used(acme)
    held = Subscription.objects.get()
    move(held.pk, "suspended", actor=ACTOR, reason="for a test", at=NOON + timedelta(hours=1))
    answer = may_use(acme.acme, {"cpu": "1m"})
    assert (answer.fits, answer.held_back) == (False, "the organization is restricted")


def test_without_a_plan_nothing_is_enforced(cast: Cast) -> None:
    assert may_use(cast.acme, {"cpu": "1000", "external_ips": 50}).fits is True


def test_a_projects_own_quota_is_asked_as_well(acme: Cast) -> None:
    used(acme)
    set_project_quota(acme.project, {"cpu": "2"}, actor=ACTOR, reason="for a test", at=NOON)
    report(acme.acme, {"cpu": "1500m"}, project=acme.project, reported_at=NOON, at=NOON)
    assert may_use(acme.acme, {"cpu": "500m"}, project=acme.project).fits is True
    answer = may_use(acme.acme, {"cpu": "501m"}, project=acme.project)
    assert answer.exceeded == (Excess("requests.cpu", "2", "1500m", "501m"),)


def test_a_smaller_plan_is_refused_by_what_is_in_use(acme: Cast) -> None:
    used(
        acme,
        object_storage="21",
        external_ips="1",
        **{"limits.cpu": "4", "limits.memory": "8Gi", "services.loadbalancers": "0"},
    )
    answer = fits_plan(acme.acme, "dev-pool", {})
    assert [excess.dimension for excess in answer.exceeded] == [
        "requests.cpu",
        "requests.memory",
        "requests.storage",
        "object_storage",
    ]
    assert fits_plan(acme.acme, "dev-pool", {"turbo-x2": 2}).fits is False
    assert fits_plan(acme.acme, "scale-pool", {}).fits is True
    with pytest.raises(UnknownItem):
        fits_plan(acme.acme, "no-pool", {})


@pytest.mark.parametrize("wanted", [{"cpu": "-1"}, {"cpu": "x"}, {"gpus": "1"}, {"pods": "0.5"}])
def test_bad_questions_are_refused(acme: Cast, wanted: dict[str, object]) -> None:
    with pytest.raises(DomainError):
        may_use(acme.acme, wanted)
