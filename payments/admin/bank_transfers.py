"""Bank transfers that arrived, and the act that records one."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import approvals
from accounts.admin import previews
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, text_field
from accounts.admin.found_rows import find_account
from accounts.admin.organizations import by_public_id
from accounts.admin.previews import Preview
from accounts.admin.staff_admin import StaffAdmin
from accounts.clock import now
from accounts.csv_cells import in_csv
from accounts.currencies import format_minor
from accounts.display import account_link, moment, money, public_id
from accounts.models import BillingAccount, User
from accounts.public_ids import decode, encode
from ledger.admin.adjust import AMOUNT_HINT, posted
from ledger.admin.journals import account_of, journal
from ledger.top_ups import transfer_lines
from payments import bank_transfers
from payments.models import BankTransfer


class TransferForm(forms.Form):
    billing_account = text_field("Billing account", hint="Its id: ba_…")
    amount_minor = text_field("Amount", hint=AMOUNT_HINT)
    currency = text_field("Currency", hint="As the account is kept; another one is refused.")
    value_date = forms.DateField(
        label="Value date",
        input_formats=["%Y-%m-%d"],
        help_text="The day the bank says, as year-month-day: 2026-01-31.",
        # No date picker: a browser would show the day in the order of its own language.
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "YYYY-MM-DD", "autocomplete": "off"}),
    )
    reference = text_field("Bank reference", hint="Each reference is recorded once.", longest=120)
    reason = reason_field("Where you saw it, such as the statement. It is kept for the auditors.")


class RecordTransfer(ActPage):
    name = "record"
    path = "record/"
    title = "Record a bank transfer"
    button = "Record transfer"
    explanation = "Credits the customer with money that arrived; what is open is paid first."
    form_class = TransferForm

    def preview(self, cleaned: Cleaned) -> Preview:
        proposal = _proposal(cleaned)
        return previews.with_fact(preview(proposal), "Reason", cleaned["reason"])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        outcome = approvals.submit(
            bank_transfers.ACT, _proposal(cleaned), maker=user, reason=cleaned["reason"], at=now()
        )
        done = posted(outcome)
        if outcome.result:
            transfer = encode(BankTransfer.PUBLIC_PREFIX, outcome.result["bank_transfer"])
            return replace(done, result={**done.result, "bank_transfer": transfer})
        return done


def preview(proposal: dict[str, Any]) -> Preview:
    """The journal of a transfer."""
    account = account_of(proposal["billing_account"])
    amount_minor = proposal["amount_minor"]
    facts = [
        ("Arrived", format_minor(amount_minor, account.currency)),
        ("Value date", proposal["value_date"]),
        ("Bank reference", proposal["reference"]),
    ]
    lines = transfer_lines(account, amount_minor)
    return journal(account, lines, facts=facts, limit=bank_transfers.LIMIT, size_minor=amount_minor)


previews.register(bank_transfers.ACT, preview)


def _proposal(cleaned: Cleaned) -> dict[str, Any]:
    return bank_transfers.payload(
        find_account(cleaned["billing_account"]),
        amount_minor=cleaned["amount_minor"],
        currency=cleaned["currency"].strip(),
        value_date=cleaned["value_date"],
        reference=cleaned["reference"],
    )


@admin.register(BankTransfer)
class BankTransferAdmin(StaffAdmin):
    act_pages = (RecordTransfer,)
    list_display = (
        "reference",
        public_id,
        account_link,
        money("amount_minor", "Amount"),
        "value_date_iso",
        moment("recorded_at", "Recorded"),
    )
    list_select_related = ("billing_account", "recorded_by")
    search_fields = ("pk",)
    search_help_text = "Bank reference, btr_…, or ba_…"
    fields = (*list_display, "recorded_by", "posted_in")
    empty_text = "No transfer is recorded."
    empty_hint = "Record one with the button above when money arrived at the bank."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = by_public_id(queryset, BankTransfer.PUBLIC_PREFIX, term)
        account = decode(BillingAccount.PUBLIC_PREFIX, term)
        if found is None:
            found = queryset.filter(billing_account_id=account) if account else queryset.filter(reference=term)
        return found, False

    @in_csv(("value_date", lambda row: row.value_date.isoformat()))
    @admin.display(description="Value date")
    def value_date_iso(self, row: BankTransfer) -> str:
        return row.value_date.isoformat()

    @admin.display(description="Transaction")
    def posted_in(self, row: BankTransfer) -> SafeString:
        url = reverse("admin:ledger_ledgertransaction_change", args=[row.transaction_id])
        return format_html('<a class="link" href="{}">{}</a>', url, row.transaction.business_key)
