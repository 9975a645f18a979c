"""Admin pages that other packages bring: none of them is shown."""

from django.contrib import admin

OUR_APPS = frozenset({"accounts", "quotas", "ledger", "payments", "auth"})


def take_off() -> None:
    """Their forms could change mirror rows behind our acts."""
    for model in [model for model in admin.site._registry if model._meta.app_label not in OUR_APPS]:
        admin.site.unregister(model)
