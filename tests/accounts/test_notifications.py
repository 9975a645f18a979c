"""Mail: who is told what, in which language, once each, under an id that never changes."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from structlog.testing import capture_logs

from accounts import approvals, notifications, policy
from accounts.locking import lock_account
from accounts.models import BillingAccount, Membership, OrganizationRole, OutboxDelivery, OutboxMessage, User
from accounts.outbox import acts_outside, emit
from accounts.outbox_relay import drain
from ledger import adjustments
from tests.cast import ACTOR, BEGINNING, NOON, Cast

WARNING, PENDING, DEPLETED, CREDITED = TOPICS = (
    "billing.low_balance_warning",
    "billing.auto_release_pending",
    "billing.balance_depleted",
    "payments.balance_credited",
)
SWITCHES = {
    WARNING: "notification.low_balance_enabled",
    PENDING: "notification.auto_release_pending_enabled",
    DEPLETED: "notification.balance_depleted_enabled",
}
PAYLOADS: dict[str, dict[str, Any]] = {
    WARNING: {"balance_minor": 420, "threshold_minor": 500, "episode": 1, "state": "low_balance"},
    PENDING: {
        "balance_minor": 420,
        "burn_minor_per_hour": "249.6",
        "episode": 1,
        "projected_depletion_at": "2026-03-10T13:41:07Z",
    },
    DEPLETED: {"balance_minor": -60, "depletion": 1, "depleted_at": "2026-03-10T11:59:00Z", "running_allocations": 3},
    CREDITED: {"amount_minor": 123450, "amount": "1,234.50 USD", "bank_transfer": "bt_0000000000001"},
}
HOSTILE = "<img src=x onerror=alert(1)>&\"'{{ 7|add:7 }}\r\nBcc: everyone@else.example"


def happen(topic: str, account: BillingAccount, **changes: Any) -> OutboxMessage:
    payload = {"account": account.public_id, "currency": account.currency, **PAYLOADS[topic], **changes}
    with transaction.atomic():
        return emit(topic, payload, at=NOON, account=lock_account(account.pk))


def mailed(topic: str, account: BillingAccount, **changes: Any) -> EmailMessage:
    """The one mail that a message caused."""
    happen(topic, account, **changes)
    drain(NOON)
    (sent,) = mail.outbox
    return sent


def html_of(sent: EmailMessage) -> str:
    ((content, kind),) = sent.alternatives  # type: ignore[attr-defined]
    assert kind == "text/html"
    return str(content)


def words_of(html: str) -> str:
    """What a reader of the HTML sees."""
    body = re.sub(r"<(style|title)>.*?</\1>|</?strong>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def member(cast: Cast, name: str, role: str, *, active: bool = True) -> User:
    user = User.objects.create(email=f"{name}@acme.example", display_name=name, is_active=active)
    Membership.objects.create(organization=cast.acme, user=user, role=role, created_at=BEGINNING)
    return user


def speak(cast: Cast, language: str) -> None:
    cast.acme.language = language
    cast.acme.save()


def live_in(user: User, zone: str) -> None:
    user.time_zone = zone
    user.save()


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
    Membership.objects.filter(user=cast.alice).delete()
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


# --- at least once


def ids() -> list[str]:
    return [str(sent.message()["Message-ID"]) for sent in mail.outbox]


class Moody(EmailBackend):
    """A mail server that refuses some addresses."""

    refuses: dict[str, Exception] = {}

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        for message in messages:
            if error := self.refuses.get(message.to[0]):
                raise error
        return super().send_messages(messages)


@pytest.fixture
def moody(settings: Any) -> Iterator[dict[str, Exception]]:
    settings.EMAIL_BACKEND = f"{__name__}.Moody"
    yield Moody.refuses
    Moody.refuses.clear()


def stand(message: OutboxMessage) -> OutboxDelivery:
    return message.deliveries.get()


def test_a_repetition_carries_the_same_message_ids(cast: Cast, moody: dict[str, Exception]) -> None:
    zoe = member(cast, "zoe", OrganizationRole.BILLING_ADMIN)
    moody[zoe.email] = SMTPServerDisconnected("Connection unexpectedly closed")
    message = happen(WARNING, cast.prepaid)
    drain(NOON)
    assert [sent.to for sent in mail.outbox] == [[cast.alice.email]]
    assert (stand(message).state, stand(message).attempts) == ("pending", 1)
    moody.clear()
    drain(NOON + timedelta(seconds=7))
    assert [sent.to for sent in mail.outbox] == [[cast.alice.email], [cast.alice.email], [zoe.email]]
    first, again, hers = ids()
    assert first == again == f"<outbox-{message.pk}.{cast.alice.public_id}@{site_settings.MAIL_DOMAIN}>"
    assert hers == f"<outbox-{message.pk}.{zoe.public_id}@{site_settings.MAIL_DOMAIN}>"
    assert stand(message).state == "delivered"


def test_messages_have_ids_of_their_own(cast: Cast) -> None:
    for topic in TOPICS:
        happen(topic, cast.prepaid)
    happen(WARNING, cast.prepaid)
    drain(NOON)
    assert len(set(ids())) == len(ids()) == 5
    # One route: an account's mails leave in the order of what happened.
    numbers = [int(found[1]) for sent in ids() if (found := re.match(r"<outbox-(\d+)\.", sent))]
    assert numbers == sorted(numbers)


def refusal(address: str, code: int) -> SMTPRecipientsRefused:
    return SMTPRecipientsRefused({address: (code, f"<{address.upper()}>: no such mailbox".encode())})


def test_an_address_refused_for_good_holds_up_nobody_else(cast: Cast, moody: dict[str, Exception]) -> None:
    zoe = member(cast, "zoe", OrganizationRole.BILLING_ADMIN)
    moody[cast.alice.email] = refusal(cast.alice.email, 550)
    message = happen(WARNING, cast.prepaid)
    with capture_logs() as logs:
        drain(NOON)
    assert [sent.to for sent in mail.outbox] == [[zoe.email]]
    assert stand(message).state == "delivered"
    (said,) = [entry for entry in logs if entry["event"] == "mail_address_refused"]
    assert said["reader"] == cast.alice.public_id


@pytest.mark.parametrize("code", [450, 550])
def test_where_nobody_is_reached_it_is_tried_again(cast: Cast, moody: dict[str, Exception], code: int) -> None:
    moody[cast.alice.email] = refusal(cast.alice.email, code)
    message = happen(WARNING, cast.prepaid)
    drain(NOON)
    assert (stand(message).state, stand(message).attempts) == ("pending", 1)
    assert str(code) in stand(message).last_error


def test_the_error_that_is_kept_names_no_address(cast: Cast, moody: dict[str, Exception]) -> None:
    moody[cast.alice.email] = refusal(cast.alice.email, 450)
    message = happen(WARNING, cast.prepaid)
    drain(NOON)
    assert "SMTPRecipientsRefused" in stand(message).last_error
    assert cast.alice.public_id in stand(message).last_error
    assert "alice@" not in stand(message).last_error.lower()


def test_an_address_that_no_header_can_hold_holds_up_nobody_else(cast: Cast) -> None:
    zoe = member(cast, "zoe", OrganizationRole.BILLING_ADMIN)
    User.objects.filter(pk=cast.alice.pk).update(email="alice@acme.example\nbcc: charlie@else.example")
    message = happen(WARNING, cast.prepaid)
    drain(NOON)
    assert [sent.to for sent in mail.outbox] == [[zoe.email]]
    assert stand(message).state == "delivered"


# --- staff


def ask(cast: Cast, at: datetime = NOON) -> Any:
    proposal = adjustments.payload(cast.prepaid, 50_000, "USD")
    outcome = approvals.submit(adjustments.ACT, proposal, maker=cast.dana, reason="goodwill", at=at)
    assert outcome.request is not None
    return outcome.request


def test_approvers_read_what_how_much_who_asked_and_until_when(cast: Cast) -> None:
    live_in(cast.erin, "Europe/Berlin")
    request = ask(cast)
    drain(NOON)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([cast.erin.email], "Approval wanted")
    assert sent.alternatives == []  # type: ignore[attr-defined]
    for said in (
        request.summary,
        "500.00 USD",
        f"Asked by:  {cast.dana.public_id}",
        "Until:     13 March 2026, 12:00 UTC",
        "13 March 2026, 13:00 Europe/Berlin (UTC+0100)",
        request.public_id,
        cast.prepaid.public_id,
    ):
        assert said in sent.body
    assert cast.dana.email not in sent.body


def test_the_maker_is_not_asked_to_decide(cast: Cast) -> None:
    cast.dana.groups.add(*cast.erin.groups.all())
    ask(cast)
    drain(NOON)
    assert [sent.to for sent in mail.outbox] == [[cast.erin.email]]


def test_a_request_that_was_decided_meanwhile_says_so(cast: Cast) -> None:
    request = ask(cast)
    approvals.decide(request.pk, checker=cast.erin, approve=False, note="no", at=NOON)
    drain(NOON)
    (sent,) = mail.outbox
    assert "already rejected; nothing is left to decide" in sent.body


def test_operators_are_told_of_a_parked_account(cast: Cast) -> None:
    payload = {"account": cast.prepaid.public_id, "code": "unpriced_usage", "reason": "no rate\nfor <gpu>"}
    with transaction.atomic():
        emit("ledger.account_parked", payload, at=NOON, account=lock_account(cast.prepaid.pk))
    drain(NOON)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([cast.dana.email], "Account parked: unpriced_usage")
    assert "no rate for <gpu>" in sent.body
    assert cast.prepaid.public_id in sent.body


def test_every_handler_of_mail_acts_outside() -> None:
    handlers = (notifications.tell_customer, notifications.tell_approvers, notifications.tell_operators)
    assert all(acts_outside(handler) for handler in handlers)
