"""`migrate`, as the owner; the application role's grants follow at its end."""

from django.core.management.commands.migrate import Command as DjangoMigrate

from billing_site.grants import apply_grants
from billing_site.roles import as_owner


class Command(DjangoMigrate):
    def handle(self, *args: object, **options: object) -> None:
        with as_owner():
            super().handle(*args, **options)
            apply_grants()
