"""Meters, prices, offers and segments for staff; what was granted to an account, for its owner too."""

import pytest

from accounts.clock import now
from quotas.models import AccountDiscount
from tests.cast import Cast
from tests.quotas.api.scene import Clients, clients, code, queries, rows, send
from tests.quotas.offer_scene import PriceBook, set_price_book
from tests.row_counts import row_counts


@pytest.fixture
def book(cast: Cast) -> PriceBook:
    return set_price_book(cast, now())


@pytest.fixture
def they(cast: Cast) -> Clients:
    return clients(cast)


def test_the_price_book_is_for_staff(book: PriceBook, they: Clients) -> None:
    for path, first in (
        ("/meters", book.meter.public_id),
        ("/offers", book.draft.public_id),
        ("/segments", book.startups.public_id),
        ("/prices", None),
    ):
        found = rows(they.erin, path)
        assert first in (None, found[0]["id"])
        one = they.erin.get(f"/api/v1{path}/{found[0]['id']}").json()
        assert found[0].items() <= one.items()
        for client in (they.alice, they.bob, they.charlie):
            for address in (path, f"{path}/{found[0]['id']}"):
                assert client.get(f"/api/v1{address}").status_code == 403
        assert they.erin.get(f"/api/v1{path}/none").status_code == 404
        assert queries(they.erin, path) <= 2
    assert [row["name"] for row in rows(they.dana, "/meters", phase="Published")] == ["gpu.hours"]
    (sold,) = rows(they.dana, "/offers", launch_stage="GA")
    assert they.dana.get(f"/api/v1/offers/{sold['id']}").json()["snapshot"].keys() == {"USD"}
    special = next(row for row in rows(they.dana, "/prices") if row["code"] == "gpu-startup")
    assert (special["metric"], special["segment"], special["document"]) == ("gpu.hours", "startup", {"flat": "2.00"})


def test_an_account_s_terms_are_its_owner_s_to_read(book: PriceBook, they: Clients, cast: Cast) -> None:
    draws = f"/commitments/{book.commitment.public_id}/draws"
    wanted = {"quantity": "12.5", "reason": "the meter said so"}
    key = {"Idempotency-Key": "draw-1"}
    assert code(send(they.alice, "post", draws, wanted, headers=key)) == (403, "forbidden")
    assert code(send(they.dana, "post", draws, {**wanted, "quantity": "1e3"}, headers=key)) == (422, "quantity_invalid")
    drawn = send(they.dana, "post", draws, wanted, headers=key).json()
    assert (drawn["month"], drawn["drawn_minor"], drawn["true_up_minor"]) == (1, 2813, 97_187)
    assert code(send(they.dana, "post", draws, wanted, headers={"Idempotency-Key": "draw-2"})) == (409, "term_over")
    assert rows(they.viewer, draws) == [drawn]
    assert they.charlie.get(f"/api/v1{draws}").status_code == 404
    (entitled,) = rows(they.viewer, "/entitlements", billing_account=cast.prepaid.public_id)
    assert (entitled["offer"], entitled["effective_to"]) == ("basic", None)
    billed = f"/api/v1/billing-accounts/{cast.prepaid.public_id}/entitlement"
    assert they.viewer.get(billed).json() == entitled
    assert they.charlie.get(billed).status_code == 404
    assert they.alice.get(billed.replace(cast.prepaid.public_id, cast.postpaid.public_id)).status_code == 404
    (discount,) = rows(they.alice, "/discounts")
    assert (discount["percent"], discount["used"], discount["metric"]) == ("10", 1, None)
    (commitment,) = rows(they.alice, "/commitments")
    assert (commitment["amount_minor"], commitment["drawn_minor"], commitment["remaining_minor"]) == (
        100_000,
        2813,
        97_187,
    )
    assert (commitment["next_month"], commitment["metric"]) == (None, "gpu.hours")
    for path, one in (("/discounts", discount), ("/commitments", commitment)):
        assert they.viewer.get(f"/api/v1{path}/{one['id']}").json() == one
        assert they.charlie.get(f"/api/v1{path}/{one['id']}").status_code == 404
        assert rows(they.charlie, path) == []
        assert they.charlie.get(f"/api/v1{path}", {"billing_account": cast.prepaid.public_id}).status_code == 404
        assert they.bob.get(f"/api/v1{path}").status_code == 403
        assert queries(they.alice, path) <= 4


def test_staff_grant_and_withdraw(book: PriceBook, they: Clients, cast: Cast) -> None:
    account, reason = cast.postpaid.public_id, "agreed by mail"
    key = {"Idempotency-Key": "grant-1"}
    wanted = {"billing_account": account, "percent": "12.5", "times": 3, "reason": reason}
    for client in (they.alice, they.erin):
        assert code(send(client, "post", "/discounts", wanted, headers=key)) == (403, "forbidden")
    assert code(send(they.dana, "post", "/discounts", wanted)) == (400, "idempotency_key_required")
    granted = send(they.dana, "post", "/discounts", wanted, headers=key)
    assert (granted.status_code, granted.json()["percent"], granted.json()["used"]) == (201, "12.5", 0)
    url = f"/discounts/{granted.json()['id']}/withdraw"
    assert code(send(they.alice, "post", url, {"reason": reason})) == (403, "forbidden")
    assert send(they.dana, "post", url, {"reason": reason}).json()["withdrawn_at"] is not None
    assert code(send(they.dana, "post", url, {"reason": reason})) == (409, "withdrawn_already")
    for wrong, said in (
        ({"amount_minor": 5}, "discount_invalid"),
        ({"percent": "101"}, "discount_invalid"),
        ({"times": 0}, "discount_invalid"),
        ({"metric": "none"}, "not_found"),
        ({"billing_account": "ba_0000000zzzzzz"}, "not_found"),
        ({"amount_minor": 1.5}, "amount_invalid"),
    ):
        before = row_counts()
        refused = send(they.dana, "post", "/discounts", {**wanted, **wrong}, headers={"Idempotency-Key": "w"})
        assert refused.json()["code"] == said, (wrong, refused.json())
        assert row_counts() == before
    assert AccountDiscount.objects.count() == 2
    promised = {"billing_account": account, "metric": "gpu.hours", "amount_minor": 120_000, "months": 12}
    promised |= {"in_advance": True, "reason": reason}
    agreed = send(they.dana, "post", "/commitments", promised, headers={"Idempotency-Key": "c"})
    assert (agreed.status_code, agreed.json()["remaining_minor"], agreed.json()["next_month"]) == (201, 120_000, 1)
    again = send(they.dana, "post", "/commitments", promised, headers={"Idempotency-Key": "d"})
    assert code(again) == (409, "terms_overlap")
    offered = {"billing_account": account, "offer": "basic", "reason": reason}
    assert send(they.dana, "post", "/entitlements", offered).json()["offer"] == "basic"
    assert code(send(they.dana, "post", "/entitlements", offered)) == (409, "already_assigned")
    assert code(send(they.dana, "post", "/entitlements", {**offered, "offer": "next"})) == (409, "offer_not_ga")
