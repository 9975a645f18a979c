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
        import_module("billing_site.bells").connect_celery()  # it reads models, which are there only now
