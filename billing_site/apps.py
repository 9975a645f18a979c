from django.apps import AppConfig

from billing_site.logging import configure_structlog, connect_celery


class BillingSiteConfig(AppConfig):
    name = "billing_site"

    def ready(self) -> None:
        configure_structlog()
        connect_celery()
