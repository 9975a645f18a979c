"""What a publication would change for whom, as it is said before: held against what it then does."""

from typing import Any

import pytest

from accounts.policy import set_value
from quotas.catalog.document import parse
from quotas.catalog_consequences import Consequences, consequences
from quotas.catalog_drafts import open_draft
from quotas.catalog_in_force import newest
from quotas.catalog_publishing import payload
from quotas.catalog_publishing import publish as publish_draft
from quotas.limits import drain
from quotas.models import CatalogVersion, Limit
from quotas.subscriptions import assign_plan, move
from tests.cast import ACTOR, NOON, Cast
from tests.quotas.plans import another_document, catalog_document, let_one_person_publish, plan, publish

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def held(cast: Cast) -> None:
    """Acme holds pro-pool with one turbo-x1, the strangers dev-pool; nobody has more than three projects."""
    publish()
    set_value("quotas.projects_limit", 3, scope="global", scope_id=None, actor=ACTOR, reason="few", at=NOON)
    assign_plan(cast.acme, "pro-pool", {"turbo-x1": 1}, actor=ACTOR, reason="ordered", at=NOON)
    assign_plan(cast.strangers, "dev-pool", {}, actor=ACTOR, reason="ordered", at=NOON)


def drafted(document: dict[str, Any]) -> CatalogVersion:
    return open_draft(parse(document), source="tests", actor=ACTOR, at=NOON)


def foretold(document: dict[str, Any], existing: str = "keep") -> Consequences:
    return consequences(drafted(document), newest(), existing=existing)


def items(found: Consequences) -> dict[str, tuple[str, int]]:
    return {row.code: (row.what, row.holders) for row in found.items}


def limits(found: Consequences) -> dict[tuple[str, str], tuple[str, str, int]]:
    return {(row.who, row.limit): (row.before, row.after, row.subscriptions) for row in found.limits}


def test_a_first_catalog_lists_what_is_new_and_moves_nobody() -> None:
    found = consequences(drafted(another_document()), None, existing="keep")
    assert {row.what for row in found.items} == {"new"}
    assert found.limits == []


def test_plans_that_differ_are_told_with_their_price_and_holders() -> None:
    document = catalog_document()
    document["plans"]["pro-pool"]["price"] = 59
    document["plans"]["scale-pool"]["selfService"] = False
    document["plans"]["gpu-pool"] = plan()
    document["addons"]["turbo-x1"]["disabled"] = True
    document["eipQuota"]["dev-pool"] = 2
    del document["plans"]["lab"]
    found = foretold(document)
    assert items(found) == {
        "pro-pool": ("new version", 1),
        "scale-pool": ("assigned by staff only", 0),
        "gpu-pool": ("new", 0),
        "turbo-x1": ("switched off", 1),
        "dev-pool": ("public addresses", 1),
        "lab": ("no longer sold", 0),
    }
    pro = next(row for row in found.items if row.code == "pro-pool")
    assert (pro.price_before, pro.price_after) == ("49.00 EUR a month", "59.00 EUR a month")
    assert limits(found) == {
        ("dev-pool, version 1", "external-ips public"): ("1", "2", 1),
        ("turbo-x1, version 1", "each grants cpu"): ("2", "0", 1),
        ("turbo-x1, version 1", "each grants memory"): ("4Gi", "0", 1),
        ("turbo-x1, version 1", "each grants storage"): ("20Gi", "0", 1),
    }


def test_a_plan_s_new_limits_concern_its_holders_only_where_they_move() -> None:
    document = catalog_document()
    document["plans"]["pro-pool"]["requests"]["cpu"] = "10"
    assert limits(foretold(document)) == {}
    assert limits(foretold(document, "move")) == {
        ("pro-pool, version 1", "requests.cpu"): ("8", "10", 1),
        ("pro-pool, version 1", "limits.cpu"): ("8", "10", 1),
    }


def test_suspended_plan_and_overhead_concern_everybody(cast: Cast) -> None:
    subscription = cast.strangers.subscription
    move(subscription.pk, "suspended", actor=ACTOR, reason="unpaid", at=NOON)
    document = another_document()
    document["suspendedPlan"]["pods"] = 5
    found = limits(foretold(document))
    assert found["whoever is suspended", "pods"] == ("10", "5", 1)
    assert found["pro-pool, version 1", "requests.cpu"] == ("8", "8300m", 1)


@pytest.mark.parametrize("existing", ["keep", "move"])
def test_what_was_foretold_is_what_happens(cast: Cast, existing: str) -> None:
    let_one_person_publish(cast)
    document = another_document()
    document["plans"]["dev-pool"]["requests"]["memory"] = "9Gi"
    document["plans"]["dev-pool"]["pods"] = 55
    document["eipQuota"]["dev-pool"] = 7
    draft = drafted(document)
    told = limits(consequences(draft, newest(), existing=existing))
    before = dict(limits_of(cast))
    publish_draft(payload(draft, existing), actor=ACTOR, reason="spring", at=NOON)
    drain(NOON)
    after = limits_of(cast)
    happened = {name: (before[name], after[name], 1) for name in after if before[name] != after[name]}
    assert happened == {name: row for (who, name), row in told.items() if who == "dev-pool, version 1"}
    assert ("pods" in happened) == (existing == "move")


def limits_of(cast: Cast) -> dict[str, str]:
    """The strangers hold no add-on, so that their limits are what a preview speaks of."""
    rows = Limit.objects.filter(organization=cast.strangers)
    return {
        name if row.name == "plan-quota" else f"{row.name} {name}": value
        for row in rows
        for name, value in row.values.items()
    }
