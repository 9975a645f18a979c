"""What happens to a balance, the mail it causes, and who there is to read it."""

import re
from html import unescape
from typing import Any

from django.core import mail
from django.core.mail import EmailMessage
from django.db import transaction

from accounts.locking import lock_account
from accounts.models import BillingAccount, Membership, OutboxMessage, User
from accounts.outbox import emit
from accounts.outbox_relay import drain
from tests.cast import BEGINNING, NOON, Cast

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
