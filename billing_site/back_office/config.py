"""The admin app with our site as its default, and what other apps registered taken off it."""

from importlib import import_module

from django.contrib.admin.apps import AdminConfig


class BackOfficeConfig(AdminConfig):
    default_site = "billing_site.admin_site.BackOffice"

    def ready(self) -> None:
        super().ready()
        import_module("billing_site.back_office.billing_accounts")
        import_module("billing_site.back_office.runbooks.pages").register()
        import_module("billing_site.back_office.price_calculator").register()
        import_module("billing_site.back_office.foreign_pages").take_off()
