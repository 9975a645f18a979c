"""A database that is away is said so, at every door; a fault of ours stays a fault."""

import psycopg
import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.test import Client

from billing_site.faults import database_is_away


def visitor() -> Client:
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    return client


@pytest.mark.parametrize("path", ["/", "/admin/", "/sign-in/"])
def test_pages_say_that_they_are_back_in_a_moment(no_database: None, path: str) -> None:
    answer = visitor().get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Back in a moment" in answer.content.decode()


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/billing-accounts"])
def test_the_api_says_that_it_may_be_asked_again(no_database: None, path: str) -> None:
    answer = visitor().get(path, headers={"Authorization": f"Bearer ch_live_{'a' * 43}"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert (answer.json()["code"], answer.json()["retryable"]) == ("database_unreachable", True)


def caused(error: Exception, cause: psycopg.Error) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (caused(OperationalError(), psycopg.OperationalError()), True),
        (caused(OperationalError(), psycopg.errors.AdminShutdown()), True),
        (InterfaceError("the connection is closed"), True),
        (caused(OperationalError(), psycopg.errors.DiskFull()), False),
        (caused(OperationalError(), psycopg.errors.LockNotAvailable()), False),
        (RuntimeError(), False),
        (None, False),
    ],
)
def test_only_a_lost_connection_counts(error: Exception | None, away: bool) -> None:
    assert database_is_away(error) == away
