"""What the site leans on: Redis, the worker that hears the doorbells, and the mail server."""

import socket
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from billing_site import bells, broker
from billing_site.back_office.spans import span
from billing_site.doctor.findings import Finding, fault, first_line, good, warning

SILENT_SECONDS = 600
MAIL_SECONDS = 3.0
_SMTP = "django.core.mail.backends.smtp.EmailBackend"
# These keep or show letters and send none.
_SENDS_NOTHING = ("console", "filebased", "locmem", "dummy")


def redis() -> Iterator[Finding]:
    """The doorbell. Without it nothing is lost, but work waits."""
    seen = broker.look()
    if seen.error:
        todo = "Start it, or correct REDIS_URL; manage.py accrue bills meanwhile."
        yield fault("redis", f"does not answer: {seen.error}", todo)
    elif seen.eviction not in ("", "noeviction"):
        what = f"may throw rings away when it is full: maxmemory-policy is {seen.eviction}"
        yield warning("redis", what, "Set maxmemory-policy noeviction; a broker must refuse, not forget.")
    else:
        yield good("redis", f"answers, {seen.waiting} rings wait")


def worker(at: datetime) -> Iterator[Finding]:
    """When a worker last took up a task, and what the tasks ended with."""
    found = bells.bells()
    last = bells.last_ring(found)
    if last is None:
        todo = "Start worker and beat (manage.py serve runs both); until then manage.py accrue bills."
        yield warning("worker", "no task ever rang here", todo)
        return
    silent = max(0.0, (at - last).total_seconds())
    failing = [bell for bell in found if bell.error and not bell.under_way_seconds(at)]
    if silent > SILENT_SECONDS:
        todo = "Start worker and beat; where they run, the page Runbooks, Accrual is wedged, says which is silent."
        yield fault("worker", f"no task rang since {span(silent)}", todo)
    elif not failing:
        yield good("worker", f"a task rang {span(silent)} ago")
    for bell in failing:
        todo = "Mend what the error names; the next ring tries again."
        yield warning("worker", f"{bell.task} failed when it last rang: {bell.error}", todo)


def mail() -> Iterator[Finding]:
    """Whether letters leave the site; the embedded one keeps them."""
    kind = settings.EMAIL_BACKEND.rsplit(".", 2)[-2]
    if settings.ENVIRONMENT == "embedded" and kind in _SENDS_NOTHING:
        yield good("mail", "letters are kept here and not sent")
        return
    if kind in _SENDS_NOTHING:
        finding = fault if settings.ENVIRONMENT == "live" else warning
        yield finding("mail", f"no letter is sent: EMAIL_BACKEND is {kind}", f"Set EMAIL_BACKEND={_SMTP}.")
        return
    if settings.MAIL_DOMAIN.endswith((".example", ".invalid", ".test")) or settings.MAIL_DOMAIN in ("", "localhost"):
        what = f"letters come from {settings.DEFAULT_FROM_EMAIL}, an address nobody can answer"
        yield warning("mail", what, "Set DEFAULT_FROM_EMAIL.")
    if settings.EMAIL_BACKEND == _SMTP:
        yield from _mail_server()
    else:
        yield good("mail", f"sent by {settings.EMAIL_BACKEND}")


def _mail_server() -> Iterator[Finding]:
    place = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        with socket.create_connection((settings.EMAIL_HOST, settings.EMAIL_PORT), timeout=MAIL_SECONDS):
            yield good("mail", f"{place} takes connections")
    except OSError as error:
        todo = "Start it, or correct EMAIL_HOST and EMAIL_PORT. Letters wait in the outbox and are tried again."
        yield fault("mail", f"{place} does not answer: {first_line(error)}", todo)
