"""The fields of a billing account that can be changed, each by its own act; what stands already is left as it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from accounts import payment_terms
from accounts.billing_detail_changes import set_address, set_contact, set_invoice_emails, set_tax_ids
from accounts.billing_details import Address, Contact
from accounts.callers import Caller
from accounts.errors import Conflict, DomainError
from accounts.locking import lock_account
from accounts.models import BillingAccount
from accounts.payment_terms import STANDARD, PaymentTerms, set_time_zone, terms_of

_Maker = Callable[[Any], Any]
# By field: the act, and what the act takes for what the body gave.
_ACTS: dict[str, tuple[Callable[..., BillingAccount], _Maker]] = {
    "contact": (set_contact, lambda given: Contact(**given) if given else None),
    "invoice_emails": (set_invoice_emails, list),
    "address": (set_address, lambda given: Address(**given) if given else None),
    "tax_ids": (set_tax_ids, lambda given: [(one["type"], one["value"]) for one in given]),
    "time_zone": (set_time_zone, str),
}
_WITHIN = ("contact", "address", "payment_terms")


class CurrencyImmutable(DomainError):
    code = "currency_immutable"
    field = "currency"


def refuse_what_is_fixed(given: dict[str, Any], caller: Caller) -> None:
    """Raises CurrencyImmutable, TermsLocked (anyone but staff who operate)."""
    if "currency" in given:
        raise CurrencyImmutable("currencyCode is immutable once the account has been activated")
    if "payment_terms" in given and "operate" not in caller.staff:
        raise payment_terms.TermsLocked(payment_terms.LOCKED)


def require_choosable(given: dict[str, Any], caller: Caller) -> None:
    """Of terms asked for when an account is opened. Raises TermsLocked."""
    if "operate" not in caller.staff and "payment_terms" in given:
        payment_terms.require_standard(replace(STANDARD, **given["payment_terms"]))


def change(account_id: int, given: dict[str, Any], *, caller: Caller, reason: str | None, at: datetime) -> None:
    """Raises what the acts raise, naming the field as a body has it."""
    account = lock_account(account_id)
    signed = {"actor": caller.actor, "reason": reason, "at": at}
    for name, (act, made) in _ACTS.items():
        if name in given:
            with _said_of(name), _same_is_fine():
                act(account_id, made(given[name]), **signed)
    if "payment_terms" in given:
        wanted: PaymentTerms = replace(terms_of(account), **given["payment_terms"])
        if wanted != terms_of(account):
            with _said_of("payment_terms"):
                payment_terms.set_terms(account_id, wanted, by=caller.person(), reason=reason or "", at=at)


@contextmanager
def _said_of(name: str) -> Iterator[None]:
    """What an act says of a field of its own is said of the field within the body's."""
    try:
        yield
    except DomainError as error:
        if name in _WITHIN and error.field not in (None, name, "reason", "billing_account"):
            error.field = f"{name}/{error.field}"
        raise


@contextmanager
def _same_is_fine() -> Iterator[None]:
    try:
        yield
    except Conflict as error:
        if error.code != "nothing_changes":
            raise
