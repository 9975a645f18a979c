"""Mail that fails is sent again under the ids it had; an address that is refused for good holds up nobody."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from structlog.testing import capture_logs

from accounts.models import OrganizationRole, OutboxDelivery, OutboxMessage, User
from accounts.outbox_relay import drain
from tests.accounts.mail_scene import (
    TOPICS,
    WARNING,
    happen,
    member,
)
from tests.cast import NOON, Cast


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
