"""Which payment provider is in force: the newest switch, or BILLING_PROVIDER before the first. Read anew each time, so
that a switch holds in every process from its next request on."""

from django.conf import settings

from accounts.models import ProviderSwitch


def newest_switch() -> ProviderSwitch | None:
    return ProviderSwitch.objects.order_by("-pk").first()


def in_force() -> str:
    """The provider's name. One query."""
    switch = newest_switch()
    return switch.provider if switch else str(settings.BILLING_PROVIDER)
