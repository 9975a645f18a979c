"""Model relations and migration dependencies point left, as imports do."""

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

ROOMS = ("accounts", "quotas", "ledger", "payments", "billing_site")  # left to right

# Everything that refers, protects. simple_history's copies do nothing; their author may be cleared.
PROTECTING = (models.PROTECT, models.DO_NOTHING)
MAY_SET_NULL = {"history_user"}


def our_models() -> list[type[models.Model]]:
    return [model for room in ROOMS for model in apps.get_app_config(room).get_models(include_auto_created=True)]


def relations(model: type[models.Model]) -> list[models.ForeignKey[models.Model, models.Model]]:
    return [field for field in model._meta.get_fields() if isinstance(field, models.ForeignKey)]


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_relations_of_a_model_point_left(model: type[models.Model]) -> None:
    here = ROOMS.index(model._meta.app_label)
    targets = [
        field.remote_field.model._meta for field in model._meta.get_fields() if field.concrete and field.remote_field
    ]
    rightwards = [
        target.label for target in targets if target.app_label in ROOMS and ROOMS.index(target.app_label) > here
    ]
    assert rightwards == []


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_nothing_is_deleted_because_something_else_was(model: type[models.Model]) -> None:
    if model._meta.auto_created:
        return  # the link rows of users to groups and permissions
    cascading = [
        field.name
        for field in relations(model)
        if field.remote_field.on_delete not in PROTECTING and field.name not in MAY_SET_NULL
    ]
    assert cascading == []


@pytest.mark.parametrize("room", ROOMS)
def test_migration_dependencies_point_left(room: str) -> None:
    here = ROOMS.index(room)
    loader = MigrationLoader(None, ignore_no_migrations=True)
    own = {key: migration for key, migration in loader.disk_migrations.items() if key[0] == room}
    assert own or room == "billing_site"
    rightwards = [
        (name, dependency)
        for (_, name), migration in own.items()
        for dependency in [*migration.dependencies, *migration.run_before]
        if dependency[0] in ROOMS and ROOMS.index(dependency[0]) > here
    ]
    assert rightwards == []


def test_no_migration_of_ours_waits_for_a_payment_provider() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    waiting = [
        key
        for key, migration in loader.disk_migrations.items()
        if key[0] in ROOMS and any(dependency[0] == "djstripe" for dependency in migration.dependencies)
    ]
    assert waiting == []
