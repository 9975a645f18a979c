"""Two at once about one subscription, and two drains at once about all limits."""

from datetime import timedelta

from accounts.lifecycle import open_organization
from quotas import limits as quota_limits
from quotas.models import Limit, LimitKind, LimitsDue, Subscription
from quotas.subscription_clock import drain
from quotas.subscription_items import open_items
from tests.cast import NOON, Cast
from tests.concurrency.racing import failures, race, successes
from tests.quotas.plans import catalog_document, publish
from tests.quotas.subscription_scene import assign, limits, move, one_person_publishes, requests

DAY = timedelta(days=1)
HELD = {"pro-pool": ("8", "24Gi", "160Gi"), "scale-pool": ("16", "56Gi", "320Gi"), "dev-pool": ("4", "8Gi", "60Gi")}


def test_of_first_plans_assigned_at_once_one_subscription_is_left_whole(committed_db: str, cast: Cast) -> None:
    publish()
    results = race(*(lambda plan=plan: assign(cast.acme, plan, {"turbo-x1": 1}) for plan in HELD))
    assert failures(results) == []
    (subscription,) = Subscription.objects.all()
    held = {row.item.code: row.quantity for row in open_items(subscription)}
    (plan,) = set(held) & set(HELD)
    assert held == {plan: 1, "turbo-x1": 1}
    assert subscription.plan is not None
    assert subscription.plan.code == plan
    assert {row.plan_code for row in limits(cast.acme).values()} == {plan}
    assert int(requests(cast.acme)[0]) == int(HELD[plan][0]) + 2


def test_a_subscription_is_suspended_once_however_many_ask(committed_db: str, cast: Cast) -> None:
    publish()
    subscription = assign(cast.acme, "pro-pool")
    results = race(*(lambda: move(subscription, "suspended") for _ in range(4)))
    assert len(successes(results)) == 1
    assert {getattr(error, "code", error) for error in failures(results)} == {"wrong_status"}
    assert cast.acme.enforcement_reasons.count() == 1


def test_two_clocks_move_a_subscription_once(committed_db: str, cast: Cast) -> None:
    publish()
    subscription = move(assign(cast.acme, "pro-pool"), "canceling")
    results = race(*(lambda: drain(NOON + 90 * DAY) for _ in range(3)))
    assert failures(results) == []
    found = Subscription.objects.get(pk=subscription.pk)
    assert found.status == "canceled"
    assert found.history.filter(status="suspended").count() == 1
    assert cast.acme.enforcement_reasons.count() == 2


def test_two_drains_share_the_work_and_acts_beside_them_are_not_lost(committed_db: str, cast: Cast) -> None:
    """Forty organizations in batches of three; meanwhile some buy and some are suspended: nobody waits in a circle,
    and what is in force at the end is what is written."""
    publish()
    one_person_publishes()
    found = [open_organization(f"O{n}", f"o-{n}", owner=cast.charlie, at=NOON) for n in range(40)]
    for organization in found:
        assign(organization, "pro-pool")
    overhead = {"cpuPerProject": "100m", "memPerProject": "0"}
    publish(catalog_document(systemOverhead=overhead), at=NOON + DAY)
    at = NOON + 2 * DAY
    results = race(
        lambda: quota_limits.drain(at, batch=3),
        lambda: quota_limits.drain(at, batch=3),
        lambda: [assign(organization, "pro-pool", {"turbo-x1": 1}, at=at) for organization in found[::4]],
        lambda: [move(organization.subscription, "suspended", at=at) for organization in found[1::4]],
    )
    assert failures(results) == []
    quota_limits.drain(at)  # whom somebody was changing, and who was marked once more
    assert min(results[:2]) > 0
    assert not LimitsDue.objects.exists()
    written = dict(
        Limit.objects.filter(kind=LimitKind.HIERARCHICAL_RESOURCE_QUOTA).values_list(
            "organization_id", "values__requests.cpu"
        )
    )
    expected = {row.pk: "13" for row in found}
    expected |= {row.pk: "15" for row in found[::4]} | {row.pk: "500m" for row in found[1::4]}
    assert written == expected
