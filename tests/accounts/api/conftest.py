"""Whoever calls in these tests."""

import pytest
from rest_framework.test import APIClient

from tests.accounts.api.callers import client_of, member, staff
from tests.cast import Cast


@pytest.fixture
def alice(cast: Cast) -> APIClient:
    """She may do everything in Acme."""
    return client_of(member(cast.alice, cast.acme, "org-admin"))


@pytest.fixture
def charlie(cast: Cast) -> APIClient:
    """He may do everything, elsewhere."""
    return client_of(member(cast.charlie, cast.strangers, "org-admin"))


@pytest.fixture
def dana(cast: Cast) -> APIClient:
    """Staff who operate."""
    return client_of(staff(cast.dana))


@pytest.fixture
def erin(cast: Cast) -> APIClient:
    """Staff who approve."""
    return client_of(staff(cast.erin))
