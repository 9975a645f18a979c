"""Who belongs to an organization: its own people in full, to staff masked until they ask."""

from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.abilities import READ_MEMBERS, READ_PROJECTS, WRITE_MEMBERS
from accounts.audit import Actor
from accounts.callers import Caller, Seat
from accounts.lifecycle import open_project
from accounts.models import AuditLog, Membership, OrganizationRole, User
from tests.accounts.api.callers import client_of, member, staff
from tests.cast import BEGINNING, Cast
from tests.row_counts import row_counts


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


def test_a_member_is_added_changed_let_in_and_withdrawn(cast: Cast, alice: APIClient) -> None:
    added = alice.post(members(cast), {"email": "Nina@Acme.example", "role": "project-user"}, format="json")
    assert added.status_code == 201
    nina = added.json()
    assert (nina["email"], nina["role"], nina["projects"]) == ("nina@acme.example", "project-user", [])
    address = f"{members(cast)}/{nina['user']}"
    again = alice.post(members(cast), {"email": "nina@acme.example", "role": "guest"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "already_member")

    project = {"project": cast.project.public_id}
    assert alice.post(f"{address}/projects", project, format="json").json()["projects"] == [cast.project.public_id]
    assert alice.post(f"{address}/projects", project, format="json").json()["code"] == "already_let_in"
    out = f"{address}/projects/{cast.project.public_id}"
    assert alice.delete(out, format="json").json()["projects"] == []
    assert alice.delete(out, format="json").json()["code"] == "not_let_in"

    assert alice.patch(address, {"role": "billing-viewer"}, format="json").json()["projects"] is None
    assert alice.patch(address, {"role": "king"}, format="json").json()["errors"][0]["pointer"] == "/role"
    assert alice.delete(address, format="json").status_code == 204
    assert alice.get(address).status_code == 404
    assert alice.delete(address, format="json").status_code == 404


def test_one_admin_stays(cast: Cast, alice: APIClient) -> None:
    address = f"{members(cast)}/{cast.alice.public_id}"
    assert alice.delete(address, format="json").json()["code"] == "last_admin"
    assert alice.patch(address, {"role": "guest"}, format="json").json()["code"] == "last_admin"


def test_nobody_gives_more_than_they_have_and_strangers_give_nothing(
    cast: Cast, charlie: APIClient, dana: APIClient
) -> None:
    seat = Seat(cast.acme.pk, frozenset({READ_MEMBERS, WRITE_MEMBERS, READ_PROJECTS}))
    key = client_of(Caller(Actor("api_key", "k"), bucket="key:1", seats={cast.acme.pk: seat}))
    viewer = client_of(member(cast.bob, cast.acme, "billing-admin"))
    theirs = {"project": open_project(cast.strangers, "X", "x", at=BEGINNING).public_id}
    bob = f"{members(cast)}/{cast.bob.public_id}"
    wanted = {"email": "n@acme.example", "role": "guest"}
    before = row_counts()
    for role in ("org-admin", "billing-admin", "project-user"):
        assert key.post(members(cast), {"email": "n@acme.example", "role": role}, format="json").status_code == 403
        assert key.patch(bob, {"role": role}, format="json").status_code == 403
    for client, status in ((viewer, 403), (charlie, 404)):
        assert client.post(members(cast), wanted, format="json").status_code == status
        assert client.patch(bob, {"role": "guest"}, format="json").status_code == status
        assert client.delete(bob, format="json").status_code == status
        assert client.post(f"{bob}/projects", theirs, format="json").status_code == status
    assert row_counts() == before
    assert dana.post(members(cast), wanted, format="json").json()["code"] == "reason_required"
    assert dana.post(members(cast), wanted | {"reason": "they wrote"}, format="json").status_code == 201
    assert key.patch(bob, {"role": "guest"}, format="json").status_code == 200


def test_a_project_of_somebody_else_is_none(cast: Cast, alice: APIClient) -> None:
    theirs = open_project(cast.strangers, "X", "x", at=BEGINNING).public_id
    bob = f"{members(cast)}/{cast.bob.public_id}/projects"
    for name in (theirs, "prj_00000000zzzzz"):
        refused = alice.post(bob, {"project": name}, format="json")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (404, "/project")
        assert alice.delete(f"{bob}/{name}", format="json").status_code == 404
