"""Mail to staff and owners about outbox messages: at least once, with a Message-ID that never changes."""

from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage

from accounts import staff_roles
from accounts.models import OutboxMessage, User


def tell_approvers(message: OutboxMessage, *, at: datetime) -> None:
    """Ask the approvers for a decision."""
    _mail(
        message,
        "approve",
        "Approval wanted",
        f"{message.payload['summary']}\n\n{message.payload['approval']}",
    )


def tell_operators(message: OutboxMessage, *, at: datetime) -> None:
    """Tell the operators that an account is parked."""
    _mail(
        message,
        "operate",
        "Account parked",
        "\n".join(f"{key}: {value}" for key, value in message.payload.items()),
    )


def tell_owner(message: OutboxMessage, *, at: datetime) -> None:
    """Tell the organization's owner that money arrived."""
    if message.organization is None:
        return
    body = f"{message.payload['amount']} arrived and is on your account {message.payload['account']}."
    _send(message, [message.organization.owner.email], "Your balance was credited", body)


def _mail(message: OutboxMessage, ability: str, subject: str, body: str) -> None:
    staff = User.objects.filter(is_active=True, is_staff=True, groups__name__in=staff_roles.ABILITIES[ability])
    _send(message, sorted(set(staff.values_list("email", flat=True))), subject, body)


def _send(message: OutboxMessage, recipients: list[str], subject: str, body: str) -> None:
    if not recipients:
        return
    EmailMessage(
        subject,
        body,
        settings.DEFAULT_FROM_EMAIL,
        recipients,
        headers={"Message-ID": f"<outbox-{message.pk}@{settings.MAIL_DOMAIN}>"},
    ).send()
