"""A page or one thing costs at most eight queries, those that say who calls included, whatever there is to tell."""

from pytest_django import DjangoAssertNumQueries

from accounts import memberships
from accounts.account_phases import reactivate, suspend
from accounts.audit import person
from accounts.billing_detail_changes import set_contact
from accounts.billing_details import Contact
from accounts.lifecycle import open_project
from accounts.models import Membership
from accounts.policy import set_value
from quotas.allocations import start
from tests.cast import BEGINNING, NOON, Cast
from tests.funding import fund
from tests.scenarios.programs import Program


def busy(cast: Cast) -> None:
    """Something of every kind happened, by people."""
    dana, alice = person(cast.dana), person(cast.alice)
    fund(cast.prepaid)
    suspend(cast.postpaid.pk, actor=dana, reason="unpaid", at=NOON)
    reactivate(cast.postpaid.pk, actor=dana, reason="paid", at=NOON)
    set_contact(cast.prepaid.pk, Contact("ann@acme.example"), actor=alice, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=alice, at=NOON)
    bob = Membership.objects.get(user=cast.bob)
    memberships.let_in(bob.pk, cast.project.pk, actor=alice, at=NOON)
    set_value("quotas.projects_limit", 9, scope="tenant", scope_id=cast.acme.pk, actor=dana, reason="agreed", at=NOON)
    for number in range(15):
        open_project(cast.acme, f"P {number}", f"p-{number}", actor=alice, at=BEGINNING)


def test_reading_asks_little(cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    acme = Program(cast.acme.pk)
    busy(cast)
    organization, account = f"organizations/{cast.acme.public_id}", f"billing-accounts/{cast.prepaid.public_id}"
    acme("GET", "/api/v1/me")  # notes that the key is in use, once a minute
    binding = acme("GET", "/api/v1/bindings").json()["data"][0]["id"]
    for path in (
        *("organizations", organization, f"{organization}/members", f"{organization}/features"),
        *(f"{organization}/members/{cast.bob.public_id}", f"{organization}/billing-account-quota"),
        *(f"{organization}/activity", f"{account}/activity", "billing-accounts", account, "legal-entities"),
        *("projects", f"projects/{cast.project.public_id}", "bindings", f"bindings/{binding}", "policy-keys"),
        f"bindings?project={cast.project.public_id}&billing_account={cast.prepaid.public_id}",
        *(f"policies/effective?subject={one.public_id}" for one in (cast.acme, cast.project, cast.prepaid)),
    ):
        with django_assert_max_num_queries(8, info=path):
            assert acme("GET", f"/api/v1/{path}").status_code == 200, path
