"""The pages about the cluster: what is wrong is said, found by its state, and leads to the organization."""

import pytest
from django.test import Client
from django.urls import reverse

from quotas.models import ClusterSync
from tests.cast import NOON, Cast

LIST = "admin:quotas_clustersync_changelist"


@pytest.fixture
def dana(cast: Cast) -> Client:
    for organization, facts in (
        (cast.acme, {"last_error": "PUT /api: 403 forbidden", "next_attempt_at": NOON}),
        (cast.strangers, {"left_alone": ["LimitRange elsewhere/x"]}),
        (None, {"refused": "catalog_invalid: nine faults"}),
    ):
        ClusterSync.objects.create(organization=organization, **facts)
    client = Client()
    client.force_login(cast.dana)
    return client


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"403 forbidden", "nine faults", "left alone: LimitRange elsewhere/x"}),
        ({"state": "failing"}, {"403 forbidden"}),
        ({"state": "waits"}, set()),
        ({"state": "refused"}, {"nine faults"}),
        ({"state": "stands"}, {"left alone: LimitRange elsewhere/x"}),
        ({"state": "theirs"}, {"left alone: LimitRange elsewhere/x"}),
        ({"q": "Elsewhere"}, {"left alone: LimitRange elsewhere/x"}),
    ],
)
def test_rows_are_found_by_their_state(dana: Client, query: dict[str, str], shown: set[str]) -> None:
    page = dana.get(reverse(LIST), query).content.decode()
    words = {"403 forbidden", "nine faults", "left alone: LimitRange elsewhere/x"}
    assert {word for word in words if word in page} == shown


def test_a_row_leads_to_the_quota_and_is_found_by_public_id(cast: Cast, dana: Client) -> None:
    page = dana.get(reverse(LIST), {"q": cast.acme.public_id}).content.decode()
    assert "403 forbidden" in page
    assert "nine faults" not in page
    assert reverse("admin:quotas_limit_of", args=[cast.acme.pk]) in page
