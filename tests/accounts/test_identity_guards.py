"""What the database refuses about members, keys and issuers, by plain SQL past every function of ours."""

import pytest

from accounts import abilities, api_keys, memberships
from accounts.abilities import READ_BILLING
from accounts.models import Membership, OrganizationRole, ProjectMembership, TrustedIssuer
from accounts.oidc import keys
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import execute, fetch, refused_by


@pytest.fixture
def key(cast: Cast) -> int:
    return api_keys.create(cast.acme.pk, "console", [READ_BILLING], actor=ACTOR, at=NOON).key.pk


@pytest.fixture
def issuer(db: None) -> TrustedIssuer:
    return TrustedIssuer.objects.create(
        issuer="https://id.example",
        jwks_uri="https://id.example/k",
        audience="us",
        algorithms=["RS256"],
        created_at=NOON,
    )


def test_an_organization_keeps_an_admin(cast: Cast) -> None:
    alice = Membership.objects.get(user=cast.alice)
    for change in ("role = 'guest'", "withdrawn_at = now()"):
        with refused_by("an_organization_keeps_an_admin"):
            execute(f"UPDATE memberships SET {change} WHERE id = %s", [alice.pk])
    Membership.objects.filter(user=cast.bob).update(role=OrganizationRole.ORG_ADMIN)
    execute("UPDATE memberships SET role = 'guest' WHERE id = %s", [alice.pk])
    with refused_by("an_organization_keeps_an_admin"):
        execute("UPDATE memberships SET role = 'guest' WHERE organization_id = %s", [cast.acme.pk])


def test_a_membership_stays_whose_it_is(cast: Cast) -> None:
    for change in (f"user_id = {cast.charlie.pk}", f"organization_id = {cast.strangers.pk}", "created_at = now()"):
        with refused_by("memberships_stay_whose_they_are"):
            execute(f"UPDATE memberships SET {change} WHERE user_id = %s", [cast.bob.pk])


def test_a_member_is_let_into_projects_of_their_organization_only(cast: Cast) -> None:
    bob, charlie = (Membership.objects.get(user=user) for user in (cast.bob, cast.charlie))
    insert = (
        "INSERT INTO project_memberships (organization_id, membership_id, project_id, created_at)"
        " VALUES (%s, %s, %s, now())"
    )
    with refused_by("project_membership_member_of_the_organization"):
        execute(insert, [cast.acme.pk, charlie.pk, cast.project.pk])
    with refused_by("project_membership_project_of_the_organization"):
        execute(insert, [cast.strangers.pk, charlie.pk, cast.project.pk])
    execute(insert, [cast.acme.pk, bob.pk, cast.project.pk])
    with refused_by("once_a_member_of_a_project"):
        execute(insert, [cast.acme.pk, bob.pk, cast.project.pk])
    with refused_by("project_memberships_stay_whose_they_are"):
        execute("UPDATE project_memberships SET project_id = %s", [cast.postpaid_project.pk])


@pytest.mark.parametrize(
    "change",
    [
        "name = 'other'",
        "scopes = '[\"billing:write\"]'",
        "expires_at = expires_at + interval '1 year'",
        "organization_id = NULL",
        "slot = 2",
        "secret_sha256 = repeat('0', 64)",
        "created_by_id = NULL, created_at = created_at - interval '1 day'",
    ],
)
def test_a_key_is_used_and_revoked_and_nothing_else(key: int, change: str) -> None:
    with refused_by("api_keys_are_used_and_revoked"):
        execute(f"UPDATE api_keys SET {change} WHERE id = %s", [key])


def test_a_revoked_key_stays_revoked(key: int) -> None:
    execute("UPDATE api_keys SET revoked_at = now() WHERE id = %s", [key])
    for change in ("NULL", "now() + interval '1 day'"):
        with refused_by("api_keys_are_revoked_for_ever"):
            execute(f"UPDATE api_keys SET revoked_at = {change} WHERE id = %s", [key])


_KEY = (
    "INSERT INTO api_keys (organization_id, name, slot, secret_sha256, scopes, created_at, expires_at)"
    " VALUES (%s, %s, %s, %s, %s, now(), now() + interval '1 day')"
)
_HASH = "0" * 64


def test_a_name_has_two_keys_alive(cast: Cast) -> None:
    for owner in (cast.acme.pk, None):
        for slot in (1, 2):
            execute(_KEY, [owner, "console", slot, _HASH, '["billing:read"]'])
        for slot, rule in (
            (1, "two_keys_alive_of_a_name"),
            (2, "two_keys_alive_of_a_name"),
            (3, "api_key_slot_is_1_or_2"),
        ):
            with refused_by(rule):
                execute(_KEY, [owner, "console", slot, _HASH, '["billing:read"]'])


def test_a_key_is_a_hash_with_scopes_that_are_its_to_hold(cast: Cast) -> None:
    with refused_by("api_key_secret_is_a_hash"):
        execute(_KEY, [None, "a", 1, "plain", '["billing:read"]'])
    for scopes in ("[]", "{}", '"billing:read"', '["everything"]'):
        with refused_by("api_key_scopes_are_known"):
            execute(_KEY, [None, "a", 1, _HASH, scopes])
    with refused_by("customers_keys_hold_customers_scopes"):
        execute(_KEY, [cast.acme.pk, "a", 1, _HASH, '["billing:read", "usage:write"]'])


def test_the_scopes_of_the_database_are_those_of_the_code(db: None) -> None:
    ((scopes,), (platform,)) = fetch(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname IN"
        " ('api_key_scopes_are_known', 'customers_keys_hold_customers_scopes') ORDER BY conname"
    )
    named = {name for name in abilities.EVERY if name in scopes}
    assert named == abilities.EVERY
    assert scopes.count(":") - 2 * scopes.count("::") == len(abilities.EVERY)
    assert {name for name in abilities.EVERY if name in platform} == abilities.OF_THE_PLATFORM


def test_an_issuer_keeps_its_name_and_signs_with_its_own_keys(issuer: TrustedIssuer) -> None:
    with refused_by("issuers_keep_their_name"):
        execute("UPDATE trusted_issuers SET issuer = 'https://else.example'")
    for algorithms in ('["HS256"]', '["none"]', "[]", "{}", '["RS256", "HS512"]'):
        with refused_by("issuer_algorithms_are_asymmetric"):
            execute("UPDATE trusted_issuers SET algorithms = %s", [algorithms])
    for name in keys.ALGORITHMS:
        execute("UPDATE trusted_issuers SET algorithms = jsonb_build_array(%s::text)", [name])


def test_a_subject_is_one_person(cast: Cast, issuer: TrustedIssuer) -> None:
    insert = "INSERT INTO external_identities (issuer_id, subject, user_id, created_at) VALUES (%s, 'ann', %s, now())"
    execute(insert, [issuer.pk, cast.bob.pk])
    with refused_by("one_person_per_subject"):
        execute(insert, [issuer.pk, cast.charlie.pk])


def test_who_leaves_leaves_their_row(cast: Cast) -> None:
    bob = Membership.objects.get(user=cast.bob)
    memberships.let_in(bob.pk, cast.project.pk, actor=ACTOR, at=NOON)
    memberships.withdraw(bob.pk, actor=ACTOR, at=NOON)
    assert ProjectMembership.objects.get().withdrawn_at is None
    back = memberships.add(cast.acme.pk, cast.bob, "guest", actor=ACTOR, at=NOON)
    assert (back.pk, back.created_at, back.role) == (bob.pk, bob.created_at, "guest")
