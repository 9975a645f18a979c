"""The remedial acts of the runbooks: bill what is due from the page, and try every parked account again."""

import time
from collections.abc import Callable
from typing import Any, ClassVar, cast

import structlog
from django import forms
from django.contrib import messages
from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import one_time_tokens
from accounts.admin.act_pages import ActPage, Cleaned, Done, busy_is_said, reason_field
from accounts.admin.previews import Preview
from accounts.audit import person, record, require_reason
from accounts.clock import now
from accounts.errors import Conflict, DomainError
from accounts.models import User
from billing_site import accrual_facts, figures
from billing_site.back_office.spans import span
from ledger import accrual, parked_retries, parking

log = structlog.get_logger(__name__)
DRAIN_SECONDS = 10.0
DRAIN_ACCOUNTS, DRAIN_WINDOWS = 200, 5_000
_ACCRUAL: tuple[str, int | None] = ("accrual", None)


class NothingDue(Conflict):
    code = "nothing_due"


class DrainInterrupted(DomainError):
    """The database or a lock ended the drain; what was billed before stays billed."""

    code = "drain_interrupted"
    status = 503
    retryable = True


class DrainForm(forms.Form):
    reason = reason_field("Why the worker does not do it. It is kept with the act for the auditors.")


class DrainNow(ActPage):
    """Unlike other acts it is not one transaction: each batch of accounts commits by itself, as in the worker."""

    name = "drain"
    path = "runbooks/accrual/drain/"
    title = "Drain now"
    button = "Drain now"
    explanation = (
        "Bills what is due, in this request and for ten seconds at most, as the worker would. It needs neither Redis "
        "nor the worker, and nothing is billed twice where the worker runs beside it."
    )
    form_class = DrainForm

    def preview(self, cleaned: Cleaned) -> Preview:
        at, reason = now(), require_reason(cleaned["reason"])
        due, retries = accrual_facts.waiting_accounts(at), len(parking.due_for_retry(at))
        if not due and not retries:
            raise NothingDue("no account is due")
        more = "+" if due == accrual_facts.MOST_WAITING else ""
        return Preview(
            [
                ("Accounts due", f"{due:,}{more}"),
                ("Parked, their pause over", f"{retries:,}"),
                ("Accrual lag", span(figures.accrual_lag_seconds(at))),
                ("At most", f"{DRAIN_SECONDS:.0f} s, {DRAIN_ACCOUNTS} accounts at a time"),
                ("Reason", reason),
            ]
        )

    def _once(self, request: HttpRequest, cleaned: Cleaned) -> HttpResponse:
        """Spend the token and keep who asked and why; then drain, with no transaction around it."""
        user = cast(User, request.user)
        with busy_is_said(self.name), transaction.atomic():
            at, reason = now(), require_reason(cleaned["reason"])
            one_time_tokens.spend(request.POST["token"], user, self._purpose(request), at=at)
            record(person(user), "accrual.drain_asked", subject=_ACCRUAL, at=at, reason=reason)
        done = self.perform(cleaned, user)
        (messages.warning if done.waiting else messages.success)(request, done.message)
        return HttpResponseRedirect(done.url)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        """Bill for DRAIN_SECONDS at most, outside a transaction. Raises DrainInterrupted."""
        try:
            tally = accrual.drain(
                now(),
                batch_accounts=DRAIN_ACCOUNTS,
                maximum_windows=DRAIN_WINDOWS,
                enough=_after(DRAIN_SECONDS),
            )
        except (OperationalError, InterfaceError) as error:
            log.warning("drain_interrupted", error=str(error))
            said = "the database broke it off; what was billed stays billed, look at the sessions and try again"
            raise DrainInterrupted(said) from error
        at = now()
        left = accrual_facts.waiting_accounts(at)
        result: dict[str, Any] = {"windows": tally.windows, "accounts": tally.accounts, "parked": tally.parked}
        result["left"] = left
        record(person(user), "accrual.drain", subject=_ACCRUAL, at=at, reason=cleaned["reason"], after=result)
        return Done(reverse("admin:runbooks_accrual"), _drained(tally, left), waiting=bool(left), result=result)


class RetryForm(forms.Form):
    code = forms.ChoiceField(label="Which", required=False, widget=UnfoldAdminSelectWidget())
    reason = reason_field("What you mended. It is kept with each account for the auditors.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = parked_retries.parked_groups(most=100)
        every = ("", f"Every parked account ({sum(group.accounts for group in groups):,})")
        choices = [every, *((group.code, f"{group.code} ({group.accounts:,})") for group in groups)]
        cast(forms.ChoiceField, self.fields["code"]).choices = choices


class RetryParked(ActPage):
    name = "retry"
    path = "runbooks/accrual/retry/"
    title = "Try all parked accounts again"
    button = "Try them again"
    explanation = "Mend what is wrong first. The next tick bills them one by one, or parks them again."
    form_class: ClassVar[type[forms.Form]] = RetryForm

    def preview(self, cleaned: Cleaned) -> Preview:
        reason, code = require_reason(cleaned["reason"]), cleaned["code"]
        groups = [group for group in parked_retries.parked_groups(most=100) if code in ("", group.code)]
        count = sum(group.accounts for group in groups)
        if not count:
            raise parking.NotParked("no account is parked", field="code")
        now_tried = min(count, parked_retries.MOST)
        facts: list[tuple[str, object]] = [(group.code, f"{group.accounts:,} accounts") for group in groups]
        facts += [("Tried again now", f"{now_tried:,} of {count:,} accounts"), ("Reason", reason)]
        return Preview(facts)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        retried = parked_retries.retry_parked(
            code=cleaned["code"], actor=person(user), reason=cleaned["reason"], at=now()
        )
        said = f"{len(retried.account_ids):,} accounts are tried by the next tick."
        if retried.held:
            said += f" {retried.held:,} are held by another act and were left alone."
        if retried.left:
            said += f" {retried.left:,} are left: do it again when these are done."
        result = {"accounts": len(retried.account_ids), "held": retried.held, "left": retried.left}
        return Done(reverse("admin:runbooks_accrual"), said, waiting=bool(retried.held or retried.left), result=result)


def _after(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until


def _drained(tally: accrual.Tally, left: int) -> str:
    said = f"{tally.windows:,} windows of {tally.accounts:,} accounts were billed."
    if tally.parked:
        said += f" {tally.parked:,} accounts failed and are parked."
    if left:
        said += f" {left:,} accounts still wait: another session holds them, or time was up. Do it again."
    return said
