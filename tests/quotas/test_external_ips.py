"""Addresses: public ones count, others do not, and where a plan has no number nothing is enforced."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import Conflict, DomainError, NotFound
from accounts.models import Organization
from quotas.external_ips import hold_address, public_held, release_address
from quotas.models import ExternalIp, Subscription
from quotas.subscriptions import assign_plan, move
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import execute
from tests.quotas.plans import catalog_document, publish

pytestmark = pytest.mark.django_db


def hold(cast: Cast, name: str, network_type: str = "public") -> ExternalIp:
    return hold_address(cast.acme, name, network_type, actor=ACTOR, at=NOON)


def plan(cast: Cast, code: str = "pro-pool") -> None:
    assign_plan(cast.acme, code, {}, actor=ACTOR, reason="for a test", at=NOON)


def test_001_27_public_addresses_count_and_others_do_not(cast: Cast) -> None:
    publish()
    plan(cast)
    hold(cast, "web")
    with pytest.raises(Conflict) as refused:
        hold(cast, "mail")
    assert (refused.value.code, refused.value.status) == ("eip_quota_exceeded", 409)
    hold(cast, "inside", "cloud")
    release_address(ExternalIp.objects.get(name="web").pk, cast.acme, actor=ACTOR, at=NOON)
    hold(cast, "mail")
    assert public_held(cast.acme) == 1


def test_001_27_a_plan_that_the_quota_does_not_name_is_not_enforced(cast: Cast) -> None:
    publish(catalog_document(eipQuota={"dev-pool": 1}))
    plan(cast)
    for number in range(5):
        hold(cast, f"web-{number}")
    assert public_held(cast.acme) == 5


def test_001_27_a_downgrade_takes_nothing_away_and_blocks_new_ones(cast: Cast) -> None:
    publish()
    plan(cast, "scale-pool")
    for number in range(3):
        hold(cast, f"web-{number}")
    plan(cast, "dev-pool")
    assert public_held(cast.acme) == 3
    with pytest.raises(Conflict):
        hold(cast, "web-4")


def test_a_suspended_organization_is_let_none(cast: Cast) -> None:
    publish()
    plan(cast)
    held = Subscription.objects.get()
    move(held.pk, "suspended", actor=ACTOR, reason="for a test", at=NOON + timedelta(hours=1))
    with pytest.raises(Conflict):
        hold(cast, "web")


def test_a_name_is_held_once_and_an_address_released_once(cast: Cast) -> None:
    address = hold(cast, "web")
    with pytest.raises(Conflict) as taken:
        hold(cast, "web")
    assert taken.value.code == "name_taken"
    with pytest.raises(NotFound):
        release_address(address.pk, cast.strangers, actor=ACTOR, at=NOON)
    release_address(address.pk, cast.acme, actor=ACTOR, at=NOON)
    with pytest.raises(Conflict):
        release_address(address.pk, cast.acme, actor=ACTOR, at=NOON)
    for change in ("released_at = NULL", "organization_id = organization_id + 1", "created_at = now()"):
        with pytest.raises(IntegrityError), transaction.atomic():
            execute(f"UPDATE external_ips SET {change} WHERE id = {address.pk}")


def test_bad_addresses_are_refused(cast: Cast) -> None:
    with pytest.raises(DomainError):
        hold(cast, "web", "private")
    with pytest.raises(DomainError):
        hold(cast, "")
    with pytest.raises(NotFound):
        hold_address(cast.strangers, "web", "cloud", project=cast.project, actor=ACTOR, at=NOON)


def test_a_closed_organization_is_let_none(cast: Cast) -> None:
    Organization.objects.filter(pk=cast.strangers.pk).update(closed_at=NOON)
    with pytest.raises(Conflict) as refused:
        hold_address(cast.strangers, "web", "cloud", actor=ACTOR, at=NOON)
    assert refused.value.code == "closed"
