"""Mail to customers: who is told what and in which language, unless it is switched off; names stay names."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.core import mail
from structlog.testing import capture_logs

from accounts import policy
from accounts.models import Membership, OrganizationRole, User
from accounts.outbox_relay import drain
from tests.accounts.mail_scene import (
    CREDITED,
    DEPLETED,
    PENDING,
    SWITCHES,
    TOPICS,
    WARNING,
    happen,
    html_of,
    live_in,
    mailed,
    member,
    speak,
    words_of,
)
from tests.cast import ACTOR, NOON, Cast

HOSTILE = "<img src=x onerror=alert(1)>&\"'{{ 7|add:7 }}\r\nBcc: everyone@else.example"


# --- what is said


def test_a_warning_says_the_balance_and_the_threshold(cast: Cast) -> None:
    sent = mailed(WARNING, cast.prepaid)
    assert sent.to == [cast.alice.email]
    assert sent.from_email == site_settings.DEFAULT_FROM_EMAIL
    assert sent.subject == "Low balance on Acme prepaid: 4.20 USD"
    for told in (sent.body, words_of(html_of(sent))):
        assert "4.20 USD" in told
        assert "5.00 USD" in told
        assert cast.prepaid.public_id in told
        assert "10 March 2026, 12:00 UTC" in told
        assert "a top-up does not restart them" in told


def test_a_warning_at_nothing_left_does_not_promise_that_anything_goes_on(cast: Cast) -> None:
    sent = mailed(WARNING, cast.prepaid, balance_minor=-60, state="depleted")
    for told in (sent.body, words_of(html_of(sent))):
        assert "−0.60 USD" in told
        assert "go on until" not in told
        assert "no allocation can be started" in told


def test_the_advisory_says_when_in_utc_and_in_the_readers_zone(cast: Cast) -> None:
    live_in(cast.alice, "Asia/Kathmandu")
    sent = mailed(PENDING, cast.prepaid)
    assert sent.subject == "Acme prepaid lasts until about 10 March, 13:41 UTC"
    for told in (sent.body, words_of(html_of(sent))):
        assert "10 March 2026, 13:41 UTC" in told
        assert "10 March 2026, 19:26 Asia/Kathmandu (UTC+0545)" in " ".join(told.split())
        assert "2.50 USD an hour" in told  # 249.6 minor units, rounded for the eye


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "Nowhere/At-All", "../../etc/passwd", ""])
def test_a_reader_without_a_zone_of_their_own_reads_utc_alone(cast: Cast, zone: str) -> None:
    live_in(cast.alice, zone)
    sent = mailed(PENDING, cast.prepaid)
    assert "10 March 2026, 13:41 UTC" in sent.body
    assert "(UTC" not in sent.body + html_of(sent)


@pytest.mark.parametrize(
    ("running", "said"),
    [
        (3, "release of 3 running allocations. A top-up does not restart them"),
        (1, "release of 1 running allocation. A top-up does not restart it"),
        (0, "No allocation was running."),
    ],
)
def test_depletion_says_how_many_are_released_and_that_none_restarts(cast: Cast, running: int, said: str) -> None:
    live_in(cast.alice, "America/New_York")
    sent = mailed(DEPLETED, cast.prepaid, running_allocations=running)
    for told in (sent.body, words_of(html_of(sent))):
        assert said in told
        assert "−0.60 USD" in told
        assert "10 March 2026, 11:59 UTC" in told
        assert "10 March 2026, 07:59 America/New_York (UTC-0400)" in " ".join(told.split())
    assert (f"{running} allocation" in sent.subject) == bool(running)


def test_money_that_arrived_is_named(cast: Cast) -> None:
    sent = mailed(CREDITED, cast.postpaid)
    assert sent.subject == "1,234.50 USD arrived on Acme postpaid"
    for told in (sent.body, words_of(html_of(sent))):
        assert "1,234.50 USD" in told
        assert cast.postpaid.public_id in told


# --- the language


GERMAN = {
    WARNING: ("Niedriges Guthaben auf Acme prepaid: 4.20 USD", "Warnschwelle von 5.00 USD"),
    PENDING: ("Acme prepaid reicht noch bis etwa 10. März, 13:41 Uhr UTC", "10. März 2026, 14:41 Uhr Europe/Berlin"),
    DEPLETED: ("Guthaben aufgebraucht auf Acme prepaid: 3 Zuteilungen werden freigegeben", "startet sie nicht wieder"),
    CREDITED: ("1,234.50 USD eingegangen auf Acme prepaid", "gutgeschrieben"),
}


@pytest.mark.parametrize("topic", TOPICS)
def test_a_german_organization_is_written_to_in_german(cast: Cast, topic: str) -> None:
    speak(cast, "de")
    live_in(cast.alice, "Europe/Berlin")
    sent = mailed(topic, cast.prepaid)
    subject, said = GERMAN[topic]
    assert sent.subject == subject
    assert said in " ".join(sent.body.split())
    assert said in words_of(html_of(sent))
    assert '<html lang="de">' in html_of(sent)
    assert sent.message()["Content-Language"] == "de"
    for english in ("You receive", "Organization:", "Balance", "March"):
        assert english not in sent.body
        assert english not in words_of(html_of(sent))


@pytest.mark.parametrize("topic", TOPICS)
def test_an_english_one_in_english(cast: Cast, topic: str) -> None:
    sent = mailed(topic, cast.prepaid)
    assert sent.message()["Content-Language"] == "en"
    assert '<html lang="en">' in html_of(sent)
    assert "You receive this because you own Acme or look after its billing." in sent.body
    assert "Organisation" not in sent.body


@pytest.mark.parametrize(
    ("language", "begins"),
    [
        ("de-AT", "Niedriges"),
        ("DE_ch", "Niedriges"),
        ("fr", "Low"),
        ("", "Low"),
        ("../de", "Low"),
        ("de/../en", "Low"),
        ("x" * 16, "Low"),
    ],
)
def test_a_region_falls_back_to_its_language_and_what_is_unknown_to_english(
    cast: Cast, language: str, begins: str
) -> None:
    speak(cast, language)
    assert mailed(WARNING, cast.prepaid).subject.startswith(begins)


def test_every_language_has_every_letter_whole() -> None:
    root = Path(site_settings.BASE_DIR) / "templates" / "emails"
    languages = [path.name for path in root.iterdir() if path.is_dir()]
    assert sorted(languages) == ["de", "en"]
    for language in languages:
        for topic in TOPICS:
            name = topic.rpartition(".")[2]
            missing = [
                part for part in ("subject.txt", "txt", "html") if not (root / language / f"{name}.{part}").exists()
            ]
            assert missing == [], (language, name)


# --- who reads it


def test_the_owner_and_the_billing_admins_are_told_each_once_and_alone(cast: Cast) -> None:
    admin, biller = member(cast, "ada", OrganizationRole.ORG_ADMIN), member(cast, "bea", OrganizationRole.BILLING_ADMIN)
    for role in (OrganizationRole.BILLING_VIEWER, OrganizationRole.PROJECT_USER, OrganizationRole.GUEST):
        member(cast, f"no-{role}", role)
    member(cast, "gone", OrganizationRole.ORG_ADMIN, active=False)
    happen(WARNING, cast.prepaid)
    drain(NOON)
    addresses = [cast.alice.email, admin.email, biller.email]
    assert sorted(sent.to for sent in mail.outbox) == sorted([address] for address in addresses)
    for sent in mail.outbox:
        assert sent.cc == sent.bcc == []
        others = set(addresses) - set(sent.to)
        assert [address for address in others if address in sent.message().as_string()] == []


def test_an_owner_who_is_no_member_is_told_all_the_same(cast: Cast) -> None:
    member(cast, "gone", OrganizationRole.ORG_ADMIN, active=False)
    Membership.objects.filter(user=cast.alice).update(withdrawn_at=NOON)
    assert mailed(WARNING, cast.prepaid).to == [cast.alice.email]


def test_where_nobody_is_left_to_read_nothing_is_sent(cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    message = happen(WARNING, cast.prepaid)
    with capture_logs() as logs:
        drain(NOON)
    assert mail.outbox == []
    assert message.deliveries.get().state == "delivered"
    assert ("warning", "mail_without_readers") in [(entry["log_level"], entry["event"]) for entry in logs]


# --- the switches


@pytest.mark.parametrize("topic", SWITCHES)
def test_a_switch_is_the_tenants_own(cast: Cast, topic: str) -> None:
    turn(SWITCHES[topic], False, cast)
    message = happen(topic, cast.prepaid)
    happen(topic, cast.foreign)
    with capture_logs() as logs:
        drain(NOON)
    assert [sent.to for sent in mail.outbox] == [[cast.charlie.email]]
    assert message.deliveries.get().state == "delivered"
    (said,) = [entry for entry in logs if entry["event"] == "mail_switched_off"]
    assert (said["log_level"], said["outbox"], said["policy"]) == ("info", message.pk, SWITCHES[topic])


@pytest.mark.parametrize("topic", SWITCHES)
def test_the_other_switches_have_no_say(cast: Cast, topic: str) -> None:
    for other in set(SWITCHES.values()) - {SWITCHES[topic]}:
        turn(other, False, cast)
    assert mailed(topic, cast.prepaid).to == [cast.alice.email]


def test_a_switch_is_read_when_the_mail_would_leave(cast: Cast) -> None:
    happen(WARNING, cast.prepaid)
    turn(SWITCHES[WARNING], False, cast)
    drain(NOON)
    assert mail.outbox == []
    turn(SWITCHES[WARNING], True, cast)
    assert mailed(WARNING, cast.prepaid).to == [cast.alice.email]


def test_money_that_arrives_is_always_told(cast: Cast) -> None:
    for switch in SWITCHES.values():
        turn(switch, False, cast)
    assert mailed(CREDITED, cast.prepaid).to == [cast.alice.email]


def turn(switch: str, on: bool, cast: Cast) -> None:
    policy.set_value(switch, on, scope="tenant", scope_id=cast.acme.pk, actor=ACTOR, reason="asked for", at=NOON)


# --- hostile names


class Shape(HTMLParser):
    """The elements of a page, with the names of their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("topic", TOPICS)
def test_a_hostile_name_stays_a_name(cast: Cast, topic: str, language: str) -> None:
    speak(cast, language)
    plain = Shape(html_of(mailed(topic, cast.prepaid))).elements
    mail.outbox.clear()
    cast.acme.name = cast.prepaid.name = HOSTILE
    cast.acme.save()
    cast.prepaid.save()
    sent = mailed(topic, cast.prepaid)
    assert Shape(html_of(sent)).elements == plain
    assert "<img" not in html_of(sent)
    shown = " ".join(HOSTILE.split())
    assert shown in sent.body  # text is text: no entities, and no line of its own for the forged header
    assert shown in words_of(html_of(sent))
    assert "\n" not in sent.subject
    parsed = sent.message()
    assert parsed["To"] == cast.alice.email
    assert parsed["Bcc"] is None


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("topic", TOPICS)
def test_a_letter_links_to_nothing_and_loads_nothing(cast: Cast, topic: str, language: str) -> None:
    speak(cast, language)
    html = html_of(mailed(topic, cast.prepaid))
    assert re.findall(r"https?:|//|url\(|@import|\bsrc=|\bhref=|<script|<link|<form", html) == []
