"""Ledger entries: the list, its export, and the act that adjusts an account."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.filters import Options, choice, days
from accounts.admin.newest_first import NewestFirst, values_of
from accounts.admin.staff_admin import StaffAdmin
from accounts.csv_cells import Cell
from accounts.display import moment, money, pairs, public_id
from accounts.models import BillingAccount
from accounts.public_ids import decode, encode
from ledger.admin.adjust import Adjust
from ledger.admin.grant import Grant
from ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction

CUSTOMER = ("wallet", "unbilled", "receivable", "held")
SYSTEM = (
    *("clearing", "bank", "disputed", "fx_clearing", "unmatched", "deferred", "tax_payable", "promo_issued"),
    *("usage_revenue", "plan_revenue", "breakage", "allowances", "promo_cost", "fees", "bad_debt", "fx_gain_loss"),
)
REASONS = (
    *("usage", "topup", "refund", "adjustment", "credit_grant", "invoice", "payment", "tax", "fee", "payout"),
    *("dispute", "write_off", "recovery", "recognition", "expiry", "fx", "transfer"),
)
_HEADER = (
    *("entry", "transaction", "effective_at", "billing_account", "account", "reason", "amount_minor", "currency"),
    *("balance_after_minor", "business_key", "actor"),
)

_EXPORTED = (
    *("transaction_id", "effective_at", "billing_account_id", "ledger_account__kind", "reason", "amount_minor"),
    *("currency", "balance_after", "transaction__business_key", "transaction__actor"),
)
FEW_ACCOUNTS = 1000


def kinds() -> Options:
    return [(kind, kind) for kind in (*CUSTOMER, *SYSTEM)]


def currencies() -> Options:
    """Currencies our own accounts are kept in; a customer's entry always has another side there."""
    found = LedgerAccount.objects.filter(billing_account=None).values_list("currency", flat=True)
    return [(code, code) for code in sorted(set(found))]


def find_entries(queryset: QuerySet[LedgerEntry], term: str) -> QuerySet[LedgerEntry]:
    """By what people have at hand: ent_…, tx_…, ba_…, a business key, or a bank reference; each by an index."""
    term = term.strip()
    if entry := decode(LedgerEntry.PUBLIC_PREFIX, term):
        return queryset.filter(pk=entry)
    if posted := decode(LedgerTransaction.PUBLIC_PREFIX, term):
        return queryset.filter(transaction_id=posted)
    if account := decode(BillingAccount.PUBLIC_PREFIX, term):
        own = LedgerAccount.objects.filter(billing_account_id=account).values_list("pk", flat=True)
        return queryset.filter(ledger_account_id__in=list(own))
    keys = LedgerTransaction.objects.filter(business_key__in=[term, f"transfer:{term}"]).values_list("pk", flat=True)
    return queryset.filter(transaction_id__in=list(keys))


@admin.register(LedgerEntry)
class LedgerEntryAdmin(StaffAdmin):
    act_pages = (Grant, Adjust)
    list_display = (
        public_id,
        moment("effective_at", "Effective"),
        "account",
        "reason",
        "posted_in",
        money("amount_minor", "Amount"),
        money("balance_after", "Balance after"),
    )
    list_select_related = ("ledger_account", "billing_account", "transaction")
    list_filter = (
        choice("kind", "account", kinds, lambda rows, kind: _of_kind(rows, kind)),
        choice("reason", "reason", lambda: [(reason, reason) for reason in REASONS]),
        choice("currency", "currency", currencies),
        days("effective_at", "day"),
    )
    search_fields = ("pk",)
    search_help_text = "ba_…, tx_…, ent_…, a business key, or a bank reference"
    fields = (
        *(public_id, "posted_in", "account", "reason"),
        *(money("amount_minor", "Amount"), money("balance_after", "Balance after"), "account_seq"),
        *(moment("effective_at", "Effective"), moment("created_at", "Written")),
        *("reference_type", "reference_id", pairs("metadata", "Metadata")),
    )
    change_form_before_template = "admin/ledger/entry_links.html"
    empty_text = "No entries."
    empty_hint = "Entries appear when usage is billed or a transfer is recorded. Nobody writes one by hand."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (find_entries(queryset, search_term) if search_term.strip() else queryset), False

    def csv(self, change_list: NewestFirst, request: HttpRequest) -> tuple[Sequence[str], Iterator[Sequence[Cell]]]:
        """Values without rows around them: the book is long."""
        return _HEADER, _cells(values_of(change_list, _EXPORTED))

    @admin.display(description="Account")
    def account(self, row: LedgerEntry) -> SafeString:
        ledger_account = row.ledger_account
        title = f"{ledger_account.kind} ({ledger_account.detail})" if ledger_account.detail else ledger_account.kind
        if row.billing_account is None:
            return format_html("{}", title)
        url = reverse("admin:accounts_billingaccount_change", args=[row.billing_account_id])
        return format_html('{} · <a class="link" href="{}">{}</a>', title, url, row.billing_account.name)

    @admin.display(description="Transaction")
    def posted_in(self, row: LedgerEntry) -> SafeString:
        url = reverse("admin:ledger_ledgertransaction_change", args=[row.transaction_id])
        return format_html('<a class="link" href="{}">{}</a>', url, row.transaction.business_key)


def _of_kind(rows: QuerySet[LedgerEntry], kind: str) -> QuerySet[LedgerEntry]:
    """Entries of a kind of account: by key where such accounts are few, else judged row by row.

    A plain join misleads the planner: it knows nothing of how entries spread over kinds, and sorts the whole book.
    """
    few = list(LedgerAccount.objects.filter(kind=kind).values_list("pk", flat=True)[: FEW_ACCOUNTS + 1])
    if len(few) <= FEW_ACCOUNTS:
        return rows.filter(ledger_account_id__in=few)
    own = LedgerAccount.objects.filter(pk=OuterRef("ledger_account_id")).values("kind")[:1]
    return rows.alias(kind_of_account=Subquery(own)).filter(kind_of_account=kind)


def _cells(rows: Iterator[tuple[Any, ...]]) -> Iterator[Sequence[Cell]]:
    """The cells of `_EXPORTED` rows; ids as people know them, moments in UTC."""
    for key, posted, effective_at, account, kind, reason, amount_minor, currency, balance_after, *who in rows:
        yield [
            encode(LedgerEntry.PUBLIC_PREFIX, key),
            encode(LedgerTransaction.PUBLIC_PREFIX, posted),
            effective_at.isoformat(),
            encode(BillingAccount.PUBLIC_PREFIX, account) if account else "",
            kind,
            reason,
            amount_minor,
            currency,
            balance_after,
            *who,
        ]
