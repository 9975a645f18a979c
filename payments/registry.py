"""Which providers exist and which one customers and staff may start payments with."""

import structlog

from accounts import billing_provider
from payments.providers.contract import NotOffered, Provider
from payments.providers.manual import ManualProvider
from payments.providers.none import NoneProvider

log = structlog.stdlib.get_logger("payments.registry")

_none = NoneProvider()
_providers: dict[str, Provider] = {provider.name: provider for provider in (_none, ManualProvider())}


def register(provider: Provider) -> None:
    """Add a provider; its folder calls this, the core stays unchanged."""
    _providers[provider.name] = provider


def provider(name: str) -> Provider:
    """The provider of a name. Raises NotOffered."""
    try:
        return _providers[name]
    except KeyError:
        raise NotOffered(f"there is no payment provider {name!r}", field="provider") from None


def names() -> list[str]:
    """The providers there are to choose from."""
    return list(_providers)


def active() -> Provider:
    """The provider in force. Where its folder is gone nothing can be started. One query."""
    name = billing_provider.in_force()
    if name not in _providers:
        log.error("provider_is_gone", provider=name)
    return _providers.get(name, _none)


def event_doors() -> list[Provider]:
    """Whose events are taken: those of the provider in force first, then of any that still own something with us."""
    first = active()
    others = [one for one in _providers.values() if one is not first and one.owns_objects()]
    return [one for one in (first, *others) if one.console().webhook is not None]
