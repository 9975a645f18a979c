"""Grant promotional credit: a form, a preview of the journal, once."""

from typing import Any

from django import forms

from accounts import approvals
from accounts.admin import previews
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, text_field
from accounts.admin.found_rows import find_account
from accounts.admin.previews import Preview
from accounts.clock import now
from accounts.currencies import format_minor
from accounts.models import User
from ledger import credits
from ledger.admin.adjust import AMOUNT_HINT, posted
from ledger.admin.journals import account_of, journal


class GrantForm(forms.Form):
    billing_account = text_field("Billing account", hint="Its id: ba_…")
    amount_minor = text_field("Amount", hint=AMOUNT_HINT, attributes={"inputmode": "numeric"})
    currency = text_field("Currency", hint="As the account is kept; another one is refused.")
    reason = reason_field()


class Grant(ActPage):
    name = "grant"
    path = "grant/"
    title = "Grant credit"
    button = "Grant credit"
    explanation = "Promotional credit: the customer may spend it, and it is never paid out."
    form_class = GrantForm

    def preview(self, cleaned: Cleaned) -> Preview:
        return previews.with_fact(preview(_proposal(cleaned)), "Reason", cleaned["reason"])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return posted(approvals.submit(credits.ACT, _proposal(cleaned), maker=user, reason=cleaned["reason"], at=now()))


def preview(proposal: dict[str, Any]) -> Preview:
    """The journal of a grant."""
    account = account_of(proposal["billing_account"])
    amount_minor = proposal["amount_minor"]
    facts = [("Credit", format_minor(amount_minor, account.currency))]
    lines = credits.grant_lines(amount_minor)
    return journal(account, lines, facts=facts, limit=credits.LIMIT, size_minor=amount_minor)


previews.register(credits.ACT, preview)


def _proposal(cleaned: Cleaned) -> dict[str, Any]:
    account = find_account(cleaned["billing_account"])
    return credits.payload(account, cleaned["amount_minor"], cleaned["currency"].strip())
