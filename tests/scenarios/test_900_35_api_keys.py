"""900-35: API keys: prefixed, hashed, scoped, expiring, last used, two alive while one replaces the other."""

import io
import json
import logging
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts import api_keys, clock
from accounts.abilities import READ_PROJECTS, REPORT_USAGE, WRITE_PROJECTS
from accounts.errors import Conflict
from accounts.key_text import ShownOnce
from accounts.models import ApiKey
from tests.cast import ACTOR, Cast
from tests.concurrency.racing import failures, race, successes


def ask(key: str, path: str = "/api/v1/projects", **body: str) -> Any:
    client, headers = Client(), {"HTTP_AUTHORIZATION": f"Bearer {key}"}
    if body:
        return client.post(path, body, content_type="application/json", **headers)  # type: ignore[arg-type]
    return client.get(path, **headers)  # type: ignore[arg-type]


def through_its_page(client: Client, page: str, form: dict[str, Any]) -> str:
    """Previewed and done; the key that the answer shows."""
    shown = client.post(page, form)
    token = re.search(r'name="token" value="([^"]+)"', shown.text)
    assert token, shown.text
    done = client.post(page, {**form, "token": unescape(token[1])})
    key = re.search(r"ch_test_[0-9a-z]{13}_[0-9a-f]{64}", done.text)
    assert key, done.text
    assert "no-store" in done.headers["Cache-Control"]
    return key[0]


@pytest.mark.django_db
def test_900_35_two_keys_live_during_rotation(cast: Cast, client: Client) -> None:
    client.force_login(cast.dana)
    form = {"name": "console", "scopes": [READ_PROJECTS], "expires_in_days": "90", "reason": "their console"}
    first = through_its_page(client, reverse("admin:accounts_organization_apikey", args=[cast.acme.pk]), form)
    row = ApiKey.objects.get()
    rotate = reverse("admin:accounts_apikey_rotate", args=[row.pk])
    second = through_its_page(client, rotate, {"expires_in_days": "", "reason": "the first leaked"})
    assert [ask(key).status_code for key in (first, second)] == [200, 200]
    refused = client.post(rotate, {"expires_in_days": "", "reason": "a third"})
    assert (refused.status_code, "two_keys_alive" in refused.text) == (409, True)
    printed = io.StringIO()
    options = [f"--as={cast.dana.email}", "--reason=replaced", "--", row.public_id]
    call_command("revoke_api_key", *options, stdout=printed)
    assert json.loads(printed.getvalue())["id"] == row.public_id
    assert (ask(first).json()["code"], ask(second).status_code) == ("key_revoked", 200)
    assert ApiKey.objects.get(revoked_at=None).last_used_at is not None
    assert "<table" in client.get(reverse("admin:accounts_apikey_changelist")).text


@pytest.mark.django_db
def test_900_35_a_key_does_what_its_scopes_say_where_it_belongs(cast: Cast) -> None:
    reads = api_keys.create(cast.acme.pk, "reads", [READ_PROJECTS], actor=ACTOR, at=clock.now()).text
    writes = api_keys.create(cast.acme.pk, "writes", [WRITE_PROJECTS], actor=ACTOR, at=clock.now()).text
    wanted = {"organization": cast.acme.public_id, "name": "Search", "slug": "search"}
    assert {row["organization"] for row in ask(reads).json()["data"]} == {cast.acme.public_id}
    assert ask(reads, **wanted).status_code == 403
    assert ask(writes, **wanted).status_code == 201
    foreign = ask(writes, **{**wanted, "organization": cast.strangers.public_id})
    unknown = ask(writes, **{**wanted, "organization": "org_0000000zzzzzz"})
    assert (foreign.status_code, foreign.json()["code"]) == (unknown.status_code, unknown.json()["code"])


@pytest.mark.django_db
def test_900_35_a_key_is_kept_nowhere(cast: Cast, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client.force_login(cast.dana)
    form = {"name": "canary", "scopes": [READ_PROJECTS], "expires_in_days": "", "reason": "their console"}
    key = through_its_page(client, reverse("admin:accounts_organization_apikey", args=[cast.acme.pk]), form)
    assert (ask(key).status_code, ask(f"{key[:-1]}x").status_code) == (200, 401)
    secret = key.rpartition("_")[2]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND has_table_privilege(oid, 'SELECT')"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" AS r WHERE strpos(r::text, %s) > 0', [secret])
            assert cursor.fetchone() == (0,), table
    assert secret not in caplog.text
    assert secret not in repr(api_keys.NewKey(ApiKey.objects.get(), ShownOnce(key)))
    assert secret not in client.get(reverse("admin:accounts_apikey_change", args=[ApiKey.objects.get().pk])).text


def test_900_35_noting_a_use_waits_for_nobody(committed_db: str, cast: Cast) -> None:
    """The row is being revoked by somebody who takes long: the key works meanwhile, and at once."""
    new = api_keys.create(cast.acme.pk, "busy", [READ_PROJECTS], actor=ACTOR, at=clock.now())

    with transaction.atomic():
        ApiKey.objects.select_for_update().get(pk=new.key.pk)
        began = clock.now()
        answers = race(lambda: ask(new.text).status_code, lambda: ask(new.text).status_code)
        assert answers == [200, 200]
        assert clock.now() - began < timedelta(seconds=10)
    assert ApiKey.objects.get().last_used_at is None
    assert race(*[lambda: ask(new.text).status_code] * 4) == [200] * 4
    assert ApiKey.objects.get().last_used_at is not None


def test_900_35_of_many_made_at_once_two_live(committed_db: str, cast: Cast) -> None:
    for owner in (cast.acme.pk, None):
        scopes = [READ_PROJECTS] if owner else [REPORT_USAGE]
        made = race(
            *[lambda: api_keys.create(owner, "same", scopes, actor=ACTOR, at=clock.now())] * 5  # noqa: B023
        )
        assert len(successes(made)) == 2
        assert all(isinstance(error, Conflict) for error in failures(made)), failures(made)
