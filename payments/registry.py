"""Which providers exist and which one customers and staff may start payments with."""

from django.conf import settings

from payments.providers.contract import NotOffered, Provider
from payments.providers.manual import ManualProvider
from payments.providers.none import NoneProvider

_providers: dict[str, Provider] = {provider.name: provider for provider in (NoneProvider(), ManualProvider())}


def register(provider: Provider) -> None:
    """Add a provider; its folder calls this, the core stays unchanged."""
    _providers[provider.name] = provider


def provider(name: str) -> Provider:
    """The provider of a name. Raises NotOffered."""
    try:
        return _providers[name]
    except KeyError:
        raise NotOffered(f"there is no payment provider {name!r}", field="provider") from None


def active() -> Provider:
    """The provider in force."""
    return provider(settings.BILLING_PROVIDER)
