"""SKUs and rates over HTTP."""

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditLog
from quotas.price_book import open_sku, set_rate
from tests.accounts.api.callers import client_of, member
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.quotas.api.callers import staff

SKUS = "/api/v1/skus"


@pytest.fixture
def bob(cast: Cast) -> APIClient:
    return client_of(member(cast.bob, cast.acme, "project-user", cast.project))


def test_skus_show_the_rates_in_force(bob: APIClient, cast: Cast) -> None:
    set_rate(cast.gpu, currency="EUR", rate_per_unit_hour="2.20", effective_from=NOON, actor=ACTOR, at=NOON)
    set_rate(cast.gpu, currency="USD", rate_per_unit_hour="2.75", effective_from=NOON, actor=ACTOR, at=NOON)
    open_sku("disk", "Disk", "TB", at=BEGINNING)
    gpu, disk = bob.get(SKUS).json()["data"]
    assert (gpu["code"], gpu["unit"], disk["rates"]) == ("gpu", "GPU", [])
    assert [(rate["currency"], rate["rate_per_unit_hour"]) for rate in gpu["rates"]] == [
        ("EUR", "2.2"),
        ("USD", "2.75"),
    ]
    assert bob.get(f"{SKUS}/gpu").json() == bob.get(f"{SKUS}/{gpu['id']}").json() == gpu
    rates = bob.get(f"{SKUS}/gpu/rates", {"currency": "USD"}).json()["data"]
    assert [rate["rate_per_unit_hour"] for rate in rates] == ["2.75", "2.5"]
    for name in ("none", "sku_0000000zzzzzz", "%00"):
        assert bob.get(f"{SKUS}/{name}").json()["code"] == "not_found"


def test_staff_set_rates(bob: APIClient, cast: Cast) -> None:
    wanted = {"currency": "USD", "rate_per_unit_hour": "3.10", "effective_from": "2090-01-01T00:00:00Z"}
    url = f"{SKUS}/gpu/rates"
    assert bob.post(url, wanted, format="json").json()["code"] == "forbidden"
    assert staff(cast.erin).post(url, wanted, format="json").json()["code"] == "forbidden"
    dana = staff(cast.dana)
    done = dana.post(url, wanted, format="json")
    assert (done.status_code, done.json()) == (201, {**wanted, "rate_per_unit_hour": "3.1"})
    assert AuditLog.objects.latest("pk").actor == cast.dana
    assert dana.post(url, wanted, format="json").json()["code"] == "rate_exists"
    for rate, code in (("1e3", "rate_invalid"), ("-1", "rate_invalid"), (True, "decimal_expected")):
        refused = dana.post(url, {**wanted, "rate_per_unit_hour": rate}, format="json")
        assert refused.json()["code"] == code
    unknown = dana.post(url, {**wanted, "currency": "ZZZ"}, format="json")
    assert unknown.json()["code"] == "currency_unknown"
