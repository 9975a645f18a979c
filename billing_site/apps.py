from importlib import import_module

from django.apps import AppConfig

from billing_site import boot_checks, logging


class BillingSiteConfig(AppConfig):
    name = "billing_site"

    def ready(self) -> None:
        logging.configure_structlog()
        logging.connect_celery()
        boot_checks.connect_celery()
        import_module("billing_site.activity_words").say()
        import_module("billing_site.openapi")  # drf-spectacular finds extensions once they are imported
        for name in ("session_ends", "session_factors", "factor_audit"):
            import_module(f"billing_site.sign_in.{name}").connect()
        import_module("billing_site.bells").connect_celery()  # it reads models, which are there only now
