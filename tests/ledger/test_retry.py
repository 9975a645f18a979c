"""A parked account is tried at once when a person says so: once, audited, and only where it is parked."""

from datetime import timedelta

import pytest

from accounts.audit import person
from accounts.errors import DomainError, NotFound, ReasonRequired, TimeInvalid
from accounts.models import AuditLog
from ledger import accrual, parking
from ledger.models import AccrualSchedule
from quotas.models import Sku
from quotas.price_book import open_sku, set_rate
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.ledger.test_parking import LATER, MINUTE, parked, price, schedule, start_around_the_act

SOON = LATER + timedelta(seconds=10)


@pytest.fixture
def unpriced(cast: Cast) -> Sku:
    """The prepaid account is parked at LATER: what it runs has no price yet."""
    sku = open_sku("unpriced", "Unpriced", "GPU", at=BEGINNING)
    price(sku, "1", NOON + timedelta(days=1))
    start_around_the_act(cast.project, sku)
    accrual.drain(LATER)
    assert parked() == {cast.prepaid.pk: "unpriced_usage"}
    return sku


@pytest.mark.usefixtures("tails_are_billed")
def test_mended_and_retried_it_is_billed_before_its_pause_is_over(cast: Cast, unpriced: Sku) -> None:
    price(unpriced, "6", NOON)
    assert accrual.drain(SOON).windows == 0
    pause_end = schedule(cast.prepaid).retry_at
    retried = parking.retry(cast.prepaid.pk, actor=person(cast.dana), reason="the rate is set", at=SOON)
    assert (retried.retry_at, retried.parked_at) == (SOON, LATER)
    row = AuditLog.objects.get(action="accrual.retry")
    assert (row.actor, row.reason, row.billing_account, row.at) == (cast.dana, "the rate is set", cast.prepaid, SOON)
    assert pause_end is not None
    assert (row.before, row.after) == (
        {"retry_at": pause_end.isoformat(), "failures": 1},
        {"retry_at": SOON.isoformat()},
    )
    assert accrual.drain(SOON).windows == 10
    assert parked() == {}


def test_not_mended_it_is_tried_once_and_its_pauses_go_on_growing(cast: Cast, unpriced: Sku) -> None:
    parking.retry(cast.prepaid.pk, actor=person(cast.dana), reason="let us see", at=SOON)
    assert accrual.drain(SOON).parked == 1
    assert schedule(cast.prepaid).failures == 2
    assert schedule(cast.prepaid).retry_at == SOON + 5 * MINUTE
    assert accrual.drain(SOON + MINUTE).parked == 0
    assert AuditLog.objects.filter(action="accrual.park").count() == 1


def test_what_is_not_parked_is_not_retried(cast: Cast, unpriced: Sku) -> None:
    before = AuditLog.objects.count(), list(AccrualSchedule.objects.values())
    for account, reason, at, code, error in (
        (cast.postpaid.pk, "why not", SOON, "not_parked", parking.NotParked),
        (cast.foreign.pk, "why not", SOON, "not_parked", parking.NotParked),
        (10**12, "why not", SOON, "not_found", NotFound),
        (cast.prepaid.pk, " ", SOON, "reason_required", ReasonRequired),
        (cast.prepaid.pk, "why not", SOON.replace(tzinfo=None), "time_invalid", TimeInvalid),
    ):
        with pytest.raises(error) as refused:
            parking.retry(account, actor=person(cast.dana), reason=reason, at=at)
        assert isinstance(refused.value, DomainError)
        assert refused.value.code == code
    assert (AuditLog.objects.count(), list(AccrualSchedule.objects.values())) == before


def test_once_billed_again_there_is_nothing_to_retry(cast: Cast, unpriced: Sku) -> None:
    set_rate(unpriced, currency="USD", rate_per_unit_hour="6", effective_from=NOON, actor=ACTOR, at=NOON)
    parking.retry(cast.prepaid.pk, actor=person(cast.dana), reason="the rate is set", at=SOON)
    accrual.drain(SOON)
    with pytest.raises(parking.NotParked) as refused:
        parking.retry(cast.prepaid.pk, actor=person(cast.dana), reason="again", at=SOON)
    assert (refused.value.status, refused.value.field) == (409, "billing_account")
