"""001-41 (with 001-11 and 001-12): the first valid token of a trusted issuer works with its claims; what a person takes
away in the back office beats every token after.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts import issuers, memberships
from accounts.abilities import OF_ROLES
from accounts.audit import person
from accounts.clock import now
from accounts.models import (
    AuditLog,
    ExternalIdentity,
    Membership,
    Organization,
    Project,
    ProjectMembership,
    TrustedIssuer,
    User,
)
from tests.cast import ACTOR, Cast
from tests.concurrency.racing import failures, race
from tests.oidc_issuer import AUDIENCE, Issuer, running
from tests.row_counts import row_counts

THREE = ("org-admin", "project-user", "guest")


@pytest.fixture
def issuer(settings: Any) -> Iterator[Issuer]:
    settings.API_FAILURES_PER_MINUTE = 10**6
    with running() as found:
        yield found


@pytest.fixture
def patricia(db: None) -> User:
    user = User.objects.create_user("patricia@countinghouse.example", is_staff=True)
    user.groups.add(Group.objects.get(name="platform-admin"))
    return user


def accept(issuer: Issuer, *, trusted: bool = True) -> TrustedIssuer:
    return issuers.set_issuer(
        issuer.address,
        jwks_uri=issuer.jwks_uri,
        audience=AUDIENCE,
        algorithms=["RS256"],
        trusted=trusted,
        actor=ACTOR,
        reason="our platform",
        at=now(),
    )


def ask(token: str) -> Any:
    return Client().get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {token}")


def projects(token: str) -> Any:
    return Client().get("/api/v1/projects", HTTP_AUTHORIZATION=f"Bearer {token}")


def seat(token: str) -> dict[str, Any]:
    answer = ask(token)
    assert answer.status_code == 200, answer.json()
    (found,) = answer.json()["seats"]
    return dict(found)


def refused(token: str) -> tuple[int, str]:
    answer = ask(token)
    return answer.status_code, answer.json()["code"]


@pytest.mark.django_db
def test_001_41_three_tokens_on_empty_tables(issuer: Issuer) -> None:
    assert Organization.objects.count() == User.objects.count() == 0
    accept(issuer)
    spaces = ["nova", "nova-web", "search"]
    tokens = {role: issuer.token(role, "nova", role, namespaces=spaces, email=f"{role}@nova.example") for role in THREE}
    seats = {role: seat(token) for role, token in tokens.items()}
    for role, found in seats.items():
        assert (found["role"], found["abilities"]) == (role, sorted(OF_ROLES[role]))
    organization = Organization.objects.get()
    assert (organization.slug, organization.owner.email) == ("nova", "org-admin@nova.example")
    opened = {project.slug: project.public_id for project in Project.objects.all()}
    assert set(opened) == {"web", "search"}
    assert seats["org-admin"]["projects"] is None
    assert sorted(seats["project-user"]["projects"]) == sorted(opened.values())
    assert [len(projects(tokens[role]).json()["data"]) for role in ("org-admin", "project-user")] == [2, 2]
    assert projects(tokens["guest"]).status_code == 403
    assert not any(user.has_usable_password() for user in User.objects.all())


@pytest.mark.django_db
def test_001_41_revoked_in_the_back_office_the_same_token_is_refused(issuer: Issuer, cast: Cast) -> None:
    accept(issuer)
    admin, member = issuer.token("ann", "nova", "org-admin"), issuer.token("ben", "nova", "project-user")
    assert ask(admin).status_code == ask(member).status_code == 200
    row = Membership.objects.get(user__external_identities__subject="ben")
    memberships.withdraw(row.pk, actor=person(cast.dana), reason="left", at=now())
    before = row_counts()
    assert refused(member) == (403, "membership_withdrawn")
    assert refused(issuer.token("ben", "nova", "org-admin")) == (403, "membership_withdrawn")
    assert row_counts() == before
    memberships.add(row.organization_id, row.user, "project-user", actor=person(cast.dana), reason="is back", at=now())
    assert ask(member).status_code == 200
    assert Membership.objects.filter(user=row.user).count() == 1


@pytest.mark.django_db
def test_001_41_an_untrusted_issuer_leaves_no_row(issuer: Issuer) -> None:
    accept(issuer, trusted=False)
    before = row_counts()
    assert refused(issuer.token("ann", "nova", "org-admin")) == (403, "person_unknown")
    assert row_counts() == before


@pytest.mark.django_db
def test_trust_taken_back_leaves_those_who_are_known(issuer: Issuer) -> None:
    accept(issuer)
    known = issuer.token("ann", "nova", "org-admin")
    assert ask(known).status_code == 200
    accept(issuer, trusted=False)
    assert ask(known).status_code == 200
    before = row_counts()
    assert refused(issuer.token("new", "nova", "org-admin")) == (403, "person_unknown")
    assert ask(issuer.token("ann", "nova", "org-admin", namespaces=["more"])).status_code == 200
    assert row_counts() == before


@pytest.mark.django_db
def test_001_12_without_a_token_or_with_an_expired_one(issuer: Issuer) -> None:
    accept(issuer)
    assert Client().get("/api/v1/me").json()["code"] == "token_required"
    assert refused(issuer.token("ann", "nova", "org-admin", exp=1_000_000_000)) == (401, "token_expired")


@pytest.mark.django_db
def test_the_rows_only_take_away(issuer: Issuer) -> None:
    accept(issuer)
    seat(issuer.token("boss", "nova", "org-admin"))
    token = issuer.token("ann", "nova", "org-admin", namespaces=["web"])
    assert seat(token)["role"] == "org-admin"
    row = Membership.objects.get(user__external_identities__subject="ann")
    memberships.change_role(row.pk, "billing-viewer", actor=ACTOR, at=now())
    found = seat(token)
    assert (found["role"], found["abilities"]) == ("billing-viewer", sorted(OF_ROLES["billing-viewer"]))
    less = seat(issuer.token("ann", "nova", "guest"))
    assert (less["role"], less["abilities"]) == ("guest", [])
    met = seat(issuer.token("ann", "nova", "project-user", namespaces=["web"]))
    assert (met["role"], met["abilities"]) == ("project-user", ["projects:read"])
    memberships.change_role(row.pk, "guest", actor=ACTOR, at=now())
    before = row_counts()
    assert seat(issuer.token("ann", "nova", "org-admin", namespaces=["new"]))["abilities"] == []
    assert row_counts() == before


@pytest.mark.django_db
def test_a_project_is_reached_while_both_the_token_and_the_rows_say_so(issuer: Issuer) -> None:
    accept(issuer)
    both = issuer.token("ann", "nova", "project-user", namespaces=["nova-web", "nova-search"])
    assert len(seat(both)["projects"]) == 2
    web, search = Project.objects.get(slug="web"), Project.objects.get(slug="search")
    row = Membership.objects.get()
    assert seat(issuer.token("ann", "nova", "project-user", namespaces=["web"]))["projects"] == [web.public_id]
    assert seat(issuer.token("ann", "nova", "project-user"))["projects"] == []
    memberships.let_out(row.pk, web.pk, actor=ACTOR, at=now())
    assert seat(both)["projects"] == [search.public_id]
    third = seat(issuer.token("ann", "nova", "project-user", namespaces=["web", "third"]))
    assert third["projects"] == [Project.objects.get(slug="third").public_id]
    assert ProjectMembership.objects.filter(withdrawn_at=None).count() == 2
    memberships.let_in(row.pk, web.pk, actor=ACTOR, at=now())
    assert len(seat(both)["projects"]) == 2


@pytest.mark.django_db
def test_nobody_takes_an_organization_over_by_naming_it(issuer: Issuer, cast: Cast) -> None:
    accept(issuer)
    before = row_counts()
    assert refused(issuer.token("eve", "acme", "org-admin")) == (403, "organization_not_of_issuer")
    assert row_counts() == before
    assert ask(issuer.token("ann", "nova", "org-admin")).status_code == 200
    with running() as other:
        accept(other)
        assert refused(other.token("eve", "nova", "org-admin")) == (403, "organization_not_of_issuer")
    assert not ExternalIdentity.objects.filter(subject="eve").exists()


@pytest.mark.django_db
def test_nobody_becomes_somebody_else_by_their_address(issuer: Issuer, cast: Cast) -> None:
    accept(issuer)
    before = row_counts()
    assert refused(issuer.token("eve", "nova", "org-admin", email="ALICE@acme.example")) == (403, "email_taken")
    assert row_counts() == before


@pytest.mark.django_db
def test_a_member_of_two_organizations_has_one_seat_by_a_token(issuer: Issuer, cast: Cast) -> None:
    accept(issuer)
    token = issuer.token("ann", "nova", "org-admin")
    assert ask(token).status_code == 200
    ann = ExternalIdentity.objects.get(subject="ann").user
    assert refused(issuer.token("ann", "acme", "org-admin"))[0] == 403
    memberships.add(cast.acme.pk, ann, "billing-viewer", actor=ACTOR, at=now())
    at_acme = seat(issuer.token("ann", "acme", "org-admin", namespaces=["intruder"]))
    assert (at_acme["organization"], at_acme["role"]) == (cast.acme.public_id, "billing-viewer")
    assert not Project.objects.filter(slug="intruder").exists()


@pytest.mark.django_db
def test_who_may_not_sign_in_is_refused_with_a_valid_token(issuer: Issuer) -> None:
    accept(issuer)
    token = issuer.token("ann", "nova", "org-admin")
    assert ask(token).status_code == 200
    User.objects.update(is_active=False)
    assert refused(token) == (403, "person_inactive")
    assert refused(issuer.token("ann", "other", "org-admin")) == (403, "person_inactive")


@pytest.mark.django_db
def test_members_of_staff_are_no_staff_by_a_token(issuer: Issuer) -> None:
    accept(issuer)
    token = issuer.token("ann", "nova", "guest")
    assert ask(token).status_code == 200
    user = ExternalIdentity.objects.get(subject="ann").user
    user.is_staff = True
    user.save()
    user.groups.add(Group.objects.get(name="finance-operator"))
    assert ask(token).json()["everywhere"] == []


@pytest.mark.django_db
def test_a_closed_organization_brings_nobody_in(issuer: Issuer) -> None:
    accept(issuer)
    token = issuer.token("ann", "nova", "org-admin")
    assert ask(token).status_code == 200
    Organization.objects.update(closed_at=now())
    assert ask(issuer.token("ann", "nova", "org-admin", namespaces=["late"])).status_code == 200
    assert refused(issuer.token("ben", "nova", "org-admin"))[0] == 403
    assert not Project.objects.exists()


@pytest.mark.django_db
def test_the_first_org_admin_owns_what_a_lesser_token_opened(issuer: Issuer) -> None:
    accept(issuer)
    assert ask(issuer.token("gus", "nova", "guest")).status_code == 200
    assert ask(issuer.token("ann", "nova", "org-admin")).status_code == 200
    assert Organization.objects.get().owner == ExternalIdentity.objects.get(subject="ann").user
    assert ask(issuer.token("abe", "nova", "org-admin")).status_code == 200
    assert Organization.objects.get().owner == ExternalIdentity.objects.get(subject="ann").user


@pytest.mark.django_db
def test_what_tokens_open_is_audited_as_the_issuers_act(issuer: Issuer) -> None:
    row = accept(issuer)
    assert ask(issuer.token("ann", "nova", "org-admin", namespaces=["web"])).status_code == 200
    assert ask(issuer.token("ben", "nova", "project-user", namespaces=["web"])).status_code == 200
    acts = AuditLog.objects.filter(actor_kind=row.public_id).order_by("pk").values_list("action", flat=True)
    assert list(acts) == [
        *("user.open", "organization.open", "project.open"),
        *("user.open", "membership.add", "membership.let_in"),
    ]


def test_first_tokens_at_once_open_once(committed_db: str, issuer: Issuer) -> None:
    accept(issuer)
    spaces = ["nova-web", "nova-search"]
    tokens = [issuer.token(f"user-{number % 3}", "nova", "project-user", namespaces=spaces) for number in range(6)]
    answers = race(*[lambda token=token: ask(token) for token in tokens])
    assert failures(answers) == []
    assert [answer.status_code for answer in answers] == [200] * 6
    assert all(len(answer.json()["seats"][0]["projects"]) == 2 for answer in answers)
    counts = (User.objects.count(), Organization.objects.count(), Project.objects.count(), Membership.objects.count())
    assert counts == (3, 1, 2, 3)
