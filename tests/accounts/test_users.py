"""People log in by their e-mail address, in whatever case they type it."""

import pytest
from django.contrib.auth import authenticate

from accounts import staff_roles
from accounts.models import User
from tests.cast import Cast
from tests.ledger.raw_sql import execute, refused_by

PASSWORD = "correct horse battery"


def test_an_address_is_kept_in_lower_case(cast: Cast) -> None:
    user = User.objects.create_user("  Frida@Example.COM ", PASSWORD)
    assert user.email == "frida@example.com"


@pytest.mark.parametrize("typed", ["alice@acme.example", "Alice@Acme.Example", "ALICE@ACME.EXAMPLE"])
def test_a_person_logs_in_however_the_address_is_typed(cast: Cast, typed: str) -> None:
    assert authenticate(username=typed, password=PASSWORD) == cast.alice


def test_a_wrong_password_and_an_inactive_person_are_refused(cast: Cast) -> None:
    assert authenticate(username=cast.alice.email, password="wrong horse battery") is None
    cast.alice.is_active = False
    cast.alice.save()
    assert authenticate(username=cast.alice.email, password=PASSWORD) is None


def test_a_second_person_of_an_address_is_refused_by_the_database(cast: Cast) -> None:
    with refused_by("users_email_key"):
        User.objects.create_user("ALICE@acme.example", PASSWORD)


def test_an_address_with_capitals_is_refused_by_the_database(cast: Cast) -> None:
    with refused_by("users_email_is_lower_case"):
        execute("UPDATE users SET email = 'Alice@acme.example' WHERE id = %s", [cast.alice.pk])


def test_a_user_needs_an_address(db: None) -> None:
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_user("", PASSWORD)


def test_changes_of_a_person_are_kept_without_what_must_be_erasable(cast: Cast) -> None:
    cast.bob.time_zone = "Asia/Tokyo"
    cast.bob.save()
    zones = list(cast.bob.history.order_by("history_id").values_list("time_zone", flat=True))
    assert zones == ["UTC", "Asia/Tokyo"]
    erasable = {"password", "last_login", "email", "display_name"}
    assert not erasable & {field.name for field in cast.bob.history.model._meta.get_fields()}


@pytest.mark.parametrize(
    ("who", "abilities"),
    [
        ("alice", set()),
        ("dana", {"view", "operate", "identify"}),
        ("erin", {"view", "approve", "identify"}),
    ],
)
def test_each_member_of_staff_may_do_what_the_groups_allow(cast: Cast, who: str, abilities: set[str]) -> None:
    user = getattr(cast, who)
    assert {ability for ability in staff_roles.ABILITIES if staff_roles.may(user, ability)} == abilities
    assert staff_roles.abilities_of(user) == {ability: ability in abilities for ability in staff_roles.ABILITIES}


def test_a_role_is_read_anew_each_time(cast: Cast) -> None:
    assert staff_roles.may(cast.dana, "operate")
    cast.dana.groups.clear()
    assert not staff_roles.may(cast.dana, "operate")


def test_a_superuser_may_do_all_and_nobody_who_was_dismissed_may_do_anything(cast: Cast) -> None:
    root = User.objects.create_superuser("root@countinghouse.example", PASSWORD)
    assert all(staff_roles.may(root, ability) for ability in staff_roles.ABILITIES)
    assert all(staff_roles.abilities_of(root).values())
    root.is_active = False
    assert not any(staff_roles.abilities_of(root).values())
    assert not any(staff_roles.may(root, ability) for ability in staff_roles.ABILITIES)
    cast.dana.is_staff = False
    assert not staff_roles.may(cast.dana, "operate")
