"""Adjust an account: a form, a preview of the journal, once."""

from typing import Any

from django import forms
from django.urls import reverse

from accounts import approvals
from accounts.admin import previews
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, text_field, waiting
from accounts.admin.found_rows import find_account
from accounts.admin.previews import Preview
from accounts.clock import now
from accounts.currencies import format_minor
from accounts.models import User
from accounts.public_ids import encode
from ledger import adjustments
from ledger.admin.journals import account_of, journal
from ledger.models import LedgerTransaction

AMOUNT_HINT = "A whole number of minor units: 10000 is 100.00 USD, or 10,000 JPY."


class AdjustForm(forms.Form):
    billing_account = text_field("Billing account", hint="Its id: ba_…")
    amount_minor = text_field(
        "Amount", hint=f"{AMOUNT_HINT} A minus sign takes money away.", attributes={"inputmode": "text"}
    )
    currency = text_field("Currency", hint="As the account is kept; another one is refused.")
    reason = reason_field()


class Adjust(ActPage):
    name = "adjust"
    path = "adjust/"
    title = "Adjust an account"
    button = "Post adjustment"
    explanation = "Credits or debits the customer; the other side is allowances."
    form_class = AdjustForm

    def preview(self, cleaned: Cleaned) -> Preview:
        shown = preview(_proposal(cleaned))
        return previews.with_fact(shown, "Reason", cleaned["reason"])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        outcome = approvals.submit(adjustments.ACT, _proposal(cleaned), maker=user, reason=cleaned["reason"], at=now())
        return posted(outcome)


def posted(outcome: approvals.Outcome) -> Done:
    """To the transaction that was posted, or to the request that waits."""
    if outcome.request:
        return waiting(outcome.request.pk)
    result = outcome.result or {}
    url = reverse("admin:ledger_ledgertransaction_change", args=[result["transaction"]])
    return Done(
        url, "Posted.", result={**result, "transaction": encode(LedgerTransaction.PUBLIC_PREFIX, result["transaction"])}
    )


def preview(proposal: dict[str, Any]) -> Preview:
    """The journal of an adjustment."""
    account = account_of(proposal["billing_account"])
    amount_minor = proposal["amount_minor"]
    facts = [("Adjustment", format_minor(amount_minor, account.currency))]
    lines = adjustments.adjustment_lines(account, amount_minor)
    return journal(account, lines, facts=facts, limit=adjustments.LIMIT, size_minor=amount_minor)


previews.register(adjustments.ACT, preview)


def _proposal(cleaned: Cleaned) -> dict[str, Any]:
    account = find_account(cleaned["billing_account"])
    return adjustments.payload(account, cleaned["amount_minor"], cleaned["currency"].strip())
