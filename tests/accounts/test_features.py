"""Features are granted and revoked with a reason, one open grant at a time, and the past is kept."""

import pytest

from accounts import features
from accounts.account_quota import allowed
from accounts.errors import DomainError
from accounts.models import AuditLog, Feature, FeatureGrant
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import NO_PRIVILEGE, execute, refused_by
from tests.row_counts import row_counts

MANY = Feature.MULTI_BILLING_ACCOUNTS


def test_a_feature_is_held_from_its_grant_to_its_revocation_and_again(cast: Cast) -> None:
    held = []
    for act in (features.grant, features.revoke, features.grant):
        act(cast.strangers.pk, MANY, actor=ACTOR, reason="they asked", at=NOON)
        held.append(features.has(cast.strangers.pk, MANY))
    assert held == [True, False, True]
    rows = FeatureGrant.objects.filter(organization=cast.strangers).order_by("pk")
    assert [(row.granted_at, row.revoked_at) for row in rows] == [(NOON, NOON), (NOON, None)]
    audited = AuditLog.objects.filter(organization=cast.strangers, action__startswith="feature.").order_by("pk")
    assert [(row.action, row.reason, row.after) for row in audited] == [
        (f"feature.{word}", "they asked", {"feature": "multi-billing-accounts"})
        for word in ("grant", "revoke", "grant")
    ]


@pytest.mark.parametrize(
    ("act", "feature", "reason", "code"),
    [
        (features.grant, MANY, "again", "already_granted"),
        (features.grant, "teleport", "why not", "feature_unknown"),
        (features.revoke, "teleport", "why not", "feature_unknown"),
        (features.grant, MANY, "x", "reason_required"),
        (features.revoke, MANY, " ", "reason_required"),
    ],
)
def test_what_is_refused_leaves_nothing(cast: Cast, act: object, feature: str, reason: str, code: str) -> None:
    before = row_counts()
    with pytest.raises(DomainError) as refused:
        act(cast.acme.pk, feature, actor=ACTOR, reason=reason, at=NOON)  # type: ignore[operator]
    assert refused.value.code == code
    assert row_counts() == before


def test_what_was_never_granted_is_not_revoked_nor_anything_of_nobody(cast: Cast) -> None:
    for organization_id, code in ((cast.strangers.pk, "not_granted"), (10**12, "not_found")):
        with pytest.raises(DomainError) as refused:
            features.revoke(organization_id, MANY, actor=ACTOR, reason="they asked", at=NOON)
        assert refused.value.code == code


def test_the_database_keeps_grants_as_they_were(cast: Cast) -> None:
    mine = f"WHERE organization_id = {cast.acme.pk}"
    for change in (
        "granted_at = granted_at - interval '1 day'",
        f"organization_id = {cast.strangers.pk}",
        f"organization_id = {cast.strangers.pk}, revoked_at = now()",
    ):
        with refused_by("feature_grants_change_once"):
            execute(f"UPDATE feature_grants SET {change} {mine}")
    with refused_by("feature_is_revoked_after_it_was_granted"):
        execute(f"UPDATE feature_grants SET revoked_at = granted_at - interval '1 second' {mine}")
    features.revoke(cast.acme.pk, MANY, actor=ACTOR, reason="they asked", at=NOON)
    for change in ("revoked_at = NULL", "revoked_at = now()"):
        with refused_by("feature_grants_change_once"):
            execute(f"UPDATE feature_grants SET {change} {mine}")
    with refused_by(NO_PRIVILEGE):
        execute("DELETE FROM feature_grants")
    insert = "INSERT INTO feature_grants (organization_id, feature, granted_at) VALUES (%s, %s, now())"
    with refused_by("feature_is_known"):
        execute(insert, [cast.acme.pk, "teleport"])
    execute(insert, [cast.acme.pk, MANY])
    with refused_by("one_open_grant_per_feature"):
        execute(insert, [cast.acme.pk, MANY])


@pytest.mark.parametrize(
    ("by_policy", "without", "with_it"), [(0, 0, 99), (1, 1, 100), (2, 2, 100), (100, 100, 100), (101, 101, 101)]
)
def test_a_feature_adds_99_up_to_a_ceiling_of_100_and_takes_nothing_away(
    by_policy: int, without: int, with_it: int
) -> None:
    assert (allowed(by_policy, raised=False), allowed(by_policy, raised=True)) == (without, with_it)
