"""Payment terms and the time zone of an account. Terms are locked: staff change them, for a reason, customers never.

Every account begins with the standard terms: due after 30 days, invoiced monthly, on the first.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction

from accounts import staff_roles
from accounts.account_phases import require_unarchived
from accounts.audit import Actor, optional_reason, person, record, require_reason
from accounts.clock import check_moment
from accounts.errors import Conflict, DomainError, Forbidden
from accounts.locking import lock_account
from accounts.models import BillingAccount, InvoiceFrequency, User

LONGEST_NET_DAYS = 3650
LOCKED = "paymentTerms can't be changed; payment terms are granted by staff"


class TermsLocked(Forbidden):
    code = "payment_terms_locked"
    field = "payment_terms"


class TermsInvalid(DomainError):
    code = "payment_terms_invalid"


class TimeZoneUnknown(DomainError):
    code = "time_zone_unknown"
    field = "time_zone"


@dataclass(frozen=True)
class PaymentTerms:
    """Days until an invoice is due, how often one is written, and on which day of the month (1 to 28)."""

    net_days: int = 30
    invoice_frequency: str = InvoiceFrequency.MONTHLY
    invoice_day: int = 1

    def __str__(self) -> str:
        return f"due after {self.net_days} days, {self.invoice_frequency.lower()}, on day {self.invoice_day}"


STANDARD = PaymentTerms()


def terms_of(account: BillingAccount) -> PaymentTerms:
    return PaymentTerms(account.net_days, account.invoice_frequency, account.invoice_day)


def check_terms(terms: PaymentTerms) -> PaymentTerms:
    """Raises TermsInvalid, naming the field."""
    if not _whole(terms.net_days, 1, LONGEST_NET_DAYS):
        raise TermsInvalid(f"net days are a whole number from 1 to {LONGEST_NET_DAYS}", field="net_days")
    if terms.invoice_frequency not in InvoiceFrequency.values:
        raise TermsInvalid(f"invoices come {', '.join(InvoiceFrequency.values)}", field="invoice_frequency")
    if not _whole(terms.invoice_day, 1, 28):
        raise TermsInvalid("the invoice day is a whole number from 1 to 28", field="invoice_day")
    return terms


def require_standard(terms: PaymentTerms) -> None:
    """What a customer may ask for when an account is opened. Raises TermsLocked."""
    if terms != STANDARD:
        raise TermsLocked(LOCKED)


@transaction.atomic
def set_terms(account_id: int, terms: PaymentTerms, *, by: User, reason: str, at: datetime) -> BillingAccount:
    """Give an account other terms, for invoices not yet written.

    Raises TermsLocked (anyone but staff who may operate), TermsInvalid, NotFound, WrongPhase (archived),
    ReasonRequired, Conflict (`nothing_changes`).
    """
    if not staff_roles.may(by, "operate"):
        raise TermsLocked(LOCKED)
    at, reason = check_moment(at), require_reason(reason)
    account = lock_account(account_id)
    wanted = asdict(check_change(account, terms))
    return _change(account, "billing_account.set_terms", wanted, actor=person(by), reason=reason, at=at)


def check_change(account: BillingAccount, terms: PaymentTerms) -> PaymentTerms:
    """Whether the account may be given these terms. Raises TermsInvalid, WrongPhase, Conflict (`nothing_changes`)."""
    check_terms(terms)
    if terms_of(require_unarchived(account)) == terms:
        raise _same()
    return terms


@transaction.atomic
def set_time_zone(
    account_id: int, time_zone: str, *, actor: Actor, reason: str | None = None, at: datetime
) -> BillingAccount:
    """Let the account's days begin in another IANA time zone, for periods not yet begun.

    Raises TimeZoneUnknown, NotFound, WrongPhase (archived), ReasonRequired, Conflict (`nothing_changes`).
    """
    at, reason = check_moment(at), optional_reason(reason)
    if time_zone not in _zones():
        raise TimeZoneUnknown("name an IANA time zone, such as Europe/Berlin")
    account = require_unarchived(lock_account(account_id))
    wanted = {"time_zone": time_zone}
    return _change(account, "billing_account.set_time_zone", wanted, actor=actor, reason=reason, at=at)


def _change(
    account: BillingAccount, action: str, wanted: dict[str, Any], *, actor: Actor, reason: str, at: datetime
) -> BillingAccount:
    before = {name: getattr(account, name) for name in wanted}
    if before == wanted:
        raise _same()
    for name, value in wanted.items():
        setattr(account, name, value)
    account.save(update_fields=list(wanted))
    subject = ("billing_account", account.pk)
    record(actor, action, subject=subject, account=account, reason=reason, before=before, after=wanted, at=at)
    return account


def _same() -> Conflict:
    return Conflict("that is how it is", code="nothing_changes")


def _whole(number: object, least: int, most: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and least <= number <= most


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
