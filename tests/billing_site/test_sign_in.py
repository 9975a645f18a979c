"""Signing in by password: who may, how often one may try, what the answers tell, and when a session ends."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse
from redis.exceptions import ConnectionError as RedisAway

from accounts import clock
from accounts.models import User
from billing_site.sign_in.counting_cache import CountingCache
from tests.cast import PASSWORD, Cast
from tests.signing_in import force_login

ALICE = "alice@acme.example"
LOGIN = reverse("account_login")


@pytest.fixture(autouse=True)
def _nothing_counted(db: None) -> None:
    cache.clear()


def attempt(client: Client, email: str, password: str, **meta: str) -> str:
    """`in`, or what the page says."""
    answer = client.post(LOGIN, {"login": email, "password": password}, **meta)  # type: ignore[arg-type]
    if answer.status_code == 302:
        return "in"
    if answer.status_code == 429:
        return "too many"
    return "too many" if "Too many failed" in answer.text else "refused"


def test_the_address_is_read_in_any_case_and_the_password_is_not(cast: Cast) -> None:
    assert attempt(Client(), "ALICE@Acme.example", PASSWORD) == "in"
    assert attempt(Client(), ALICE, PASSWORD.upper()) == "refused"


def test_an_unknown_address_and_a_wrong_password_are_answered_alike(cast: Cast, client: Client) -> None:
    def said(email: str) -> str:
        page = client.post(LOGIN, {"login": email, "password": "wrong"}).text
        return re.sub(r'value="[^"]*"', "", page)

    assert said(ALICE) == said("nobody@acme.example")


def test_who_is_switched_off_is_out_at_once(cast: Cast, client: Client) -> None:
    assert attempt(client, ALICE, PASSWORD) == "in"
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    assert client.get("/").status_code == 302
    assert "_auth_user_id" not in client.session or client.get("/")["Location"].startswith(LOGIN)
    again = client.post(LOGIN, {"login": ALICE, "password": PASSWORD})
    assert again["Location"] == reverse("account_inactive")


def test_five_wrong_passwords_shut_an_address_wherever_they_come_from(cast: Cast) -> None:
    for number in range(5):
        assert attempt(Client(), ALICE, "wrong", REMOTE_ADDR=f"198.51.100.{number}") == "refused"
    assert attempt(Client(), ALICE, PASSWORD, REMOTE_ADDR="203.0.113.9") == "too many"
    assert attempt(Client(), "bob@acme.example", PASSWORD, REMOTE_ADDR="203.0.113.9") == "in"


@override_settings(ALLOWED_HOSTS=["*"])
def test_another_host_header_does_not_begin_a_new_count(cast: Cast) -> None:
    said = [attempt(Client(), ALICE, "wrong", HTTP_HOST=f"localhost:{4000 + number}") for number in range(7)]
    assert said[5:] == ["too many", "too many"]


def test_one_place_cannot_try_many_addresses(cast: Cast) -> None:
    said = [attempt(Client(), f"p{number}@acme.example", "wrong", REMOTE_ADDR="198.51.100.7") for number in range(22)]
    assert said[:20] == ["refused"] * 20
    assert said[20:] == ["too many"] * 2


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_forged_forwarding_header_does_not_help(cast: Cast, proxies: int) -> None:
    """With one proxy, what it heard stands last; everything before came from the caller."""
    with override_settings(TRUSTED_PROXIES=proxies):
        said = [
            attempt(Client(), f"p{number}@acme.example", "wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 203.0.113.5")
            for number in range(22)
        ]
    assert said[20:] == ["too many"] * 2


@override_settings(TRUSTED_PROXIES=2)
def test_fewer_hops_than_proxies_are_counted_by_the_peer(cast: Cast) -> None:
    said = [
        attempt(Client(), f"p{number}@acme.example", "wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}")
        for number in range(22)
    ]
    assert said[20:] == ["too many"] * 2


def test_codes_of_a_second_factor_are_counted_too(cast: Cast) -> None:
    said = []
    for number in range(7):
        client = Client(REMOTE_ADDR=f"198.51.100.{number}")
        assert attempt(client, "dana@countinghouse.example", PASSWORD) == "in"
        said.append("Too many" in client.post(reverse("mfa_authenticate"), {"code": "000000"}).text)
    assert said == [False] * 5 + [True] * 2


def test_without_redis_each_process_counts_by_itself(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise RedisAway

    for act in ("add", "get", "set", "delete"):
        monkeypatch.setattr(f"django.core.cache.backends.redis.RedisCache.{act}", away)
    said = [attempt(Client(), ALICE, "wrong") for _ in range(6)]
    assert said == ["refused"] * 5 + ["too many"]
    assert attempt(Client(), "bob@acme.example", PASSWORD) == "in"


def test_what_is_counted_is_plain_text_in_redis() -> None:
    cache.set("probe", [1.5, "y"], 5)
    assert cache.get("probe") == [1.5, "y"]
    own = CountingCache("redis://127.0.0.1:1/0", {"OPTIONS": {"socket_connect_timeout": 0.2}})
    assert own.add("a", 1)
    assert not own.add("a", 1)


def test_a_reset_link_works_once_and_tells_nobody_who_is_known(
    cast: Cast, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    page = reverse("account_reset_password")
    known, unknown = (client.post(page, {"email": email}) for email in (ALICE, "nobody@acme.example"))
    assert known["Location"] == unknown["Location"] == reverse("account_reset_password_done")
    to_alice, to_nobody = mail.outbox
    assert "no log-in with that address" in to_nobody.body
    link = re.search(r"http://testserver(\S+)", to_alice.body)
    assert link
    with caplog.at_level("INFO"):
        form = client.get(link[1], follow=True)
    assert link[1].rstrip("/").rpartition("/")[2].partition("-")[2] not in caplog.text
    assert link[1] not in form.redirect_chain[-1][0]
    new = {"password1": "a quite new passphrase", "password2": "a quite new passphrase"}
    assert client.post(form.redirect_chain[-1][0], new).status_code == 302
    assert attempt(Client(), ALICE, "a quite new passphrase") == "in"
    assert "This link has ended" in Client().get(link[1], follow=True).text


def test_a_mail_server_that_is_away_is_not_told_to_the_asker(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", away)
    assert client.post(reverse("account_reset_password"), {"email": ALICE}).status_code == 302


def test_nobody_signs_up_by_password(db: None, client: Client) -> None:
    form = {"email": "new@acme.example", "password1": PASSWORD, "password2": PASSWORD}
    assert "Nobody signs up here" in client.post(reverse("account_signup"), form).text
    assert not User.objects.filter(email="new@acme.example").exists()


@pytest.mark.parametrize(
    "onward", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_one_is_sent_on_within_the_site_only(cast: Cast, client: Client, onward: str) -> None:
    answer = client.post(f"{LOGIN}?next={onward}", {"login": ALICE, "password": PASSWORD, "next": onward})
    assert answer["Location"] == "/"


def test_a_password_that_changes_ends_the_other_sessions(cast: Cast) -> None:
    one, two = Client(), Client()
    for client in (one, two):
        attempt(client, ALICE, PASSWORD)
    new = {"oldpassword": PASSWORD, "password1": "a quite new passphrase", "password2": "a quite new passphrase"}
    assert one.post(reverse("account_change_password"), new).status_code == 302
    assert one.get("/").status_code == 200
    assert two.get("/").status_code == 302


@pytest.mark.parametrize(
    ("steps", "still_in"),
    [
        ([timedelta(minutes=90)] * 3, True),
        ([timedelta(minutes=121)], False),
        ([timedelta(minutes=100)] * 8, False),
    ],
    ids=["used", "unused", "used for longer than a day's work"],
)
def test_a_session_ends(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch, steps: list[timedelta], still_in: bool
) -> None:
    force_login(client, cast.alice)
    at = clock.now()
    for step in steps:
        at += step
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        answer = client.get("/")
    assert (answer.status_code == 200) == still_in


def test_a_body_that_is_not_a_form_is_not_an_error(cast: Cast, client: Client) -> None:
    for body in (b"\x00\xff", b"{}", b"login=" + b"a" * 5000, b"login=%00&password=%00"):
        answer = client.post(LOGIN, body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 200
