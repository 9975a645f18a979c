"""Which provider is in force, and what may be started with it."""

import pytest
from django.test import override_settings

from payments import registry
from payments.providers.contract import Capabilities, NotOffered, Provider

pytestmark = pytest.mark.django_db

CAPABILITIES = ("checkout", "stored_methods", "refunds", "staff_transfers")


def test_manual_offers_transfers_recorded_by_staff_and_nothing_else() -> None:
    with override_settings(BILLING_PROVIDER="manual"):
        provider = registry.active()
    assert provider.name == "manual"
    assert [word for word in CAPABILITIES if getattr(provider.capabilities(), word)] == ["staff_transfers"]
    provider.require("staff_transfers")


def test_without_payments_nothing_may_be_started() -> None:
    with override_settings(BILLING_PROVIDER="none"):
        provider = registry.active()
    for word in CAPABILITIES:
        with pytest.raises(NotOffered) as refused:
            provider.require(word)
        assert (refused.value.code, refused.value.status) == ("not_offered", 404)


@pytest.mark.parametrize("name", ["", "paypal", "Manual", "stripe "])
def test_an_unknown_provider_is_not_offered(name: str) -> None:
    with pytest.raises(NotOffered) as refused:
        registry.provider(name)
    assert refused.value.field == "provider"


def test_a_provider_of_ones_own_is_added_without_touching_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    class Barter(Provider):
        name = "barter"
        label = "barter"

        def capabilities(self) -> Capabilities:
            return Capabilities(refunds=True)

    monkeypatch.setattr(registry, "_providers", dict(registry._providers))
    registry.register(Barter())
    with override_settings(BILLING_PROVIDER="barter"):
        registry.active().require("refunds")
        with pytest.raises(NotOffered, match="barter provider has no checkout"):
            registry.active().require("checkout")


def test_a_provider_whose_folder_is_gone_lets_nothing_be_started() -> None:
    with override_settings(BILLING_PROVIDER="barter"):
        assert registry.active().name == "none"
