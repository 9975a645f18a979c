"""E-mail: letters in a reader's language, each a message of its own whose Message-ID never changes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from smtplib import SMTPRecipientsRefused
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import translation

from accounts.models import User

log = structlog.get_logger(__name__)

FALLBACK_LANGUAGE = "en"
_PERMANENT = 500  # SMTP: 5xx is for good, 4xx may pass


class MailFailed(Exception):
    """What stopped a letter, with the reader's id in place of the address."""


@dataclass(frozen=True)
class Letter:
    recipient: User
    language: str
    subject: str
    text: str
    html: str = ""


def write(name: str, recipient: User, *, language: str, facts: dict[str, Any]) -> Letter:
    """Render templates/emails/<language>/<name>: .subject.txt, .txt and, where there is one, .html.

    A language without that letter falls back from its region to itself, then to English.
    """
    found = next(code for code in _languages(language) if _exists(code, name) or code == FALLBACK_LANGUAGE)
    with translation.override(found):
        parts = {part: _render(f"emails/{found}/{name}.{part}", facts) for part in ("subject.txt", "txt")}
        html = _render(f"emails/{found}/{name}.html", facts) if _exists(found, name, "html") else ""
    # A line break in a name would end the subject's header.
    return Letter(recipient, found, one_line(parts["subject.txt"]), f"{parts['txt'].strip()}\n", html)


def one_line(text: str) -> str:
    """Text that people typed, without the line breaks that could pass for lines of ours."""
    return " ".join(text.split())


def send(letters: Sequence[Letter], *, key: str) -> None:
    """Send each letter to its reader alone, over one connection; `key` names the delivery in the Message-ID.

    An address that the server refuses for good holds up nobody else. Raises MailFailed or what the connection raises
    where a repetition may help, or where nobody was reached; then all are sent again under the same Message-IDs.
    """
    if not letters:
        log.warning("mail_without_readers", key=key)
        return
    with get_connection() as backend:
        refusals = [refusal for letter in letters if (refusal := _send_one(backend, letter, key))]
    if len(refusals) == len(letters):
        raise refusals[0]


def _send_one(backend: BaseEmailBackend, letter: Letter, key: str) -> MailFailed | None:
    """The refusal, where the address is refused for good. Raises MailFailed where another try may succeed."""
    reader = letter.recipient
    message = EmailMultiAlternatives(
        letter.subject,
        letter.text,
        settings.DEFAULT_FROM_EMAIL,
        [reader.email],
        headers={
            "Message-ID": f"<{key}.{reader.public_id}@{settings.MAIL_DOMAIN}>",
            "Content-Language": letter.language,
            "Auto-Submitted": "auto-generated",
        },
    )
    if letter.html:
        message.attach_alternative(letter.html, "text/html")
    try:
        backend.send_messages([message])
    except Exception as error:
        said = re.sub(
            re.escape(reader.email), reader.public_id, f"{type(error).__name__}: {error}", flags=re.IGNORECASE
        )
        failure = MailFailed(f"{reader.public_id}: {said}")
        if not _for_good(error):
            raise failure from error
        log.warning("mail_address_refused", key=key, reader=reader.public_id)
        return failure
    return None


def _for_good(error: Exception) -> bool:
    """Whether the fault is the address itself: the server's 5xx, or an address that no header can hold."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= _PERMANENT for code, _ in error.recipients.values())
    return isinstance(error, ValueError)


def _languages(wanted: str) -> list[str]:
    """`de-AT` is tried as de-at, de and en."""
    code = wanted.strip().lower().replace("_", "-")
    known = [code, code.partition("-")[0]] if re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", code) else []
    return [*dict.fromkeys(known), FALLBACK_LANGUAGE]


def _exists(language: str, name: str, part: str = "subject.txt") -> bool:
    try:
        get_template(f"emails/{language}/{name}.{part}")
    except TemplateDoesNotExist:
        return False
    return True


def _render(template: str, facts: dict[str, Any]) -> str:
    return get_template(template).render(facts)
