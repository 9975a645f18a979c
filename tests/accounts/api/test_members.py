"""Who belongs to an organization: its own people in full, to staff masked until they ask."""

from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import AuditLog, Membership, OrganizationRole, User
from tests.accounts.api.callers import client_of, member, staff
from tests.cast import BEGINNING, Cast


def members(cast: Cast) -> str:
    return f"/api/v1/organizations/{cast.acme.public_id}/members"


def test_customers_read_their_own_people_in_full(
    cast: Cast, alice: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        user = User.objects.create(email=f"m{number}@acme.example")
        role = OrganizationRole.GUEST
        Membership.objects.create(organization=cast.acme, user=user, role=role, created_at=BEGINNING)
    with django_assert_max_num_queries(8):
        rows = alice.get(f"{members(cast)}?limit=100").json()["data"]
    assert [(row["email"], row["role"]) for row in rows[-2:]] == [
        ("bob@acme.example", "project-user"),
        ("alice@acme.example", "org-admin"),
    ]
    one = alice.get(f"{members(cast)}/{cast.bob.public_id}")
    assert one.json() == rows[-2]
    for name in (cast.charlie.public_id, "usr_00000000zzzzz", "bob"):
        assert alice.get(f"{members(cast)}/{name}").status_code == 404
    viewer = client_of(member(cast.bob, cast.acme, "billing-viewer"))
    assert viewer.get(members(cast)).status_code == 403


def test_staff_read_them_masked_and_their_asking_is_kept(cast: Cast, dana: APIClient) -> None:
    assert [row["email"] for row in dana.get(members(cast)).json()["data"]] == [
        "b***@acme.example",
        "a***@acme.example",
    ]
    address = f"{members(cast)}/{cast.bob.public_id}"
    assert dana.get(address).json()["name"] == "B."
    assert not AuditLog.objects.filter(action="personal_data.show").exists()
    shown = dana.get(f"{address}?show=details").json()
    assert (shown["name"], shown["email"]) == ("Bob", "bob@acme.example")
    row = AuditLog.objects.get(action="personal_data.show")
    assert (row.actor, row.subject_id, row.after) == (cast.dana, cast.bob.pk, {"page": address})
    assert dana.get(address).json()["email"] == "b***@acme.example"
    cast.dana.groups.clear()
    assert dana.get(f"{address}?show=details").status_code == 403  # asked of the rows, whatever the caller holds
    assert client_of(staff(cast.dana)).get(address).status_code == 403


def test_a_customer_who_asks_to_be_shown_is_not_audited(cast: Cast, alice: APIClient) -> None:
    address = f"{members(cast)}/{cast.bob.public_id}"
    assert alice.get(f"{address}?show=details").json() == alice.get(address).json()
    assert alice.get(f"{address}?show=all").status_code == 422
    assert not AuditLog.objects.filter(action="personal_data.show").exists()
