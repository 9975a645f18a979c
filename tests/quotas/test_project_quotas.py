"""A project's own quota: the smaller of it and of what is left of the organization's."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.errors import Conflict, DomainError
from accounts.models import AuditLog
from quotas.models import Limit, LimitKind
from quotas.project_quotas import effective_quota, remove_project_quota, set_project_quota
from quotas.subscriptions import assign_plan
from quotas.usage_report import report
from tests.cast import ACTOR, NOON, Cast
from tests.quotas.plans import publish

pytestmark = pytest.mark.django_db


def put(cast: Cast, values: dict[str, object]) -> Limit:
    return set_project_quota(cast.project, values, actor=ACTOR, reason="for a test", at=NOON)


def test_it_is_written_as_the_cluster_writes_it_and_audited(cast: Cast) -> None:
    put(cast, {"cpu": "2000m", "memory": "4096Mi", "pods": 20})
    limit = put(cast, {"cpu": "1500m", "pods": "20"})
    assert (limit.name, limit.values) == ("project-quota", {"requests.cpu": "1500m", "pods": "20"})
    assert Limit.objects.filter(kind=LimitKind.PROJECT_QUOTA).count() == 1
    audited = AuditLog.objects.filter(action="project_quota.set").order_by("pk").last()
    assert audited is not None
    assert audited.before == {"requests.cpu": "2", "requests.memory": "4Gi", "pods": "20"}


def test_the_smaller_of_both_holds(cast: Cast) -> None:
    publish()
    assign_plan(cast.acme, "pro-pool", {}, actor=ACTOR, reason="for a test", at=NOON)
    put(cast, {"cpu": "2", "memory": "64Gi"})
    report(cast.acme, {"memory": "4Gi", "storage": None}, project=cast.postpaid_project, reported_at=NOON, at=NOON)
    effective = effective_quota(cast.project)
    assert effective["requests.cpu"] == 2
    assert effective["requests.memory"] == Decimal(20 * 2**30)
    assert effective["requests.storage"] == Decimal(160 * 2**30)


def test_it_outlives_a_plan_and_holds_without_one(cast: Cast) -> None:
    put(cast, {"cpu": "2"})
    assert effective_quota(cast.project) == {"requests.cpu": Decimal(2)}
    publish()
    assign_plan(cast.acme, "dev-pool", {}, actor=ACTOR, reason="for a test", at=NOON)
    assert effective_quota(cast.project)["requests.cpu"] == 2


def test_it_is_removed_once(cast: Cast) -> None:
    put(cast, {"cpu": "2"})
    remove_project_quota(cast.project, actor=ACTOR, reason="for a test", at=NOON + timedelta(hours=1))
    assert effective_quota(cast.project) == {}
    with pytest.raises(Conflict) as refused:
        remove_project_quota(cast.project, actor=ACTOR, reason="for a test", at=NOON)
    assert refused.value.code == "not_set"


@pytest.mark.parametrize("values", [{}, {"cpu": "-1"}, {"external_ips": "1"}, {"cpu": "1e400"}, {"pods": "1.5"}])
def test_bad_quotas_are_refused(cast: Cast, values: dict[str, object]) -> None:
    with pytest.raises(DomainError):
        put(cast, values)
    assert not Limit.objects.exists()
