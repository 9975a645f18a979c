"""What is looked up by a whole word: business keys, bank references, external ids, SKUs, request ids."""

from collections.abc import Iterator

from django.db.models import CharField, F, Value
from django.urls import reverse
from django.utils.html import format_html

from accounts.correlation import is_safe
from accounts.currencies import format_minor
from accounts.display import show_moment
from accounts.models import AuditLog, OutboxMessage
from billing_site.back_office.search_hits import READ, Group, Hit, group
from ledger.models import LedgerTransaction
from payments.models import BankTransfer
from quotas.models import Allocation, Sku

_PAGES = {
    "Transaction": "ledger_ledgertransaction",
    "Audit row": "accounts_auditlog",
    "Message": "accounts_outboxmessage",
}


def find(term: str) -> list[Group]:
    groups = [
        group("Bank transfers", _transfers(term)),
        group("Transactions", _transactions(term)),
        group("Allocations", _allocations(term)),
        group("SKUs", _skus(term)),
    ]
    # Ids of requests and tasks are tokens; a term with blanks is none.
    return [*groups, group("Written by one request", _of_request(term))] if is_safe(term) else groups


def _transfers(term: str) -> Iterator[Hit]:
    for row in BankTransfer.objects.filter(reference=term).select_related("billing_account"):
        amount = format_minor(row.amount_minor, row.currency)
        line = f"{amount} to {row.billing_account.name}, value date {row.value_date.isoformat()} · {row.public_id}"
        yield Hit(row.reference, line, _page("payments_banktransfer", row.pk), exact=True)


def _transactions(term: str) -> Iterator[Hit]:
    for row in LedgerTransaction.objects.filter(business_key=term):
        line = format_html("{}, {} · {}", row.kind, show_moment(row.effective_at), row.public_id)
        yield Hit(row.business_key, line, _page("ledger_ledgertransaction", row.pk), exact=True)


def _allocations(term: str) -> Iterator[Hit]:
    for row in Allocation.objects.filter(external_id=term).select_related("project", "sku")[:READ]:
        line = f"{row.status}, {row.sku.name} of project {row.project.name} · {row.public_id}"
        yield Hit(row.external_id, line, _page("quotas_allocation", row.pk), exact=True)


def _skus(term: str) -> Iterator[Hit]:
    for row in Sku.objects.filter(code=term.lower()):
        yield Hit(
            row.name, f"SKU {row.code}, by the {row.unit} · {row.public_id}", _page("quotas_sku", row.pk), exact=True
        )


def _of_request(term: str) -> Iterator[Hit]:
    """Transactions, audit rows and messages of a request id, in one query."""
    kinds = (
        ("Transaction", LedgerTransaction, "business_key", "effective_at"),
        ("Audit row", AuditLog, "action", "at"),
        ("Message", OutboxMessage, "topic", "occurred_at"),
    )
    queries = [
        model.objects.filter(correlation_id=term)
        .annotate(sort=Value(kind, CharField()), name=F(name), moment=F(moment))
        .values_list("sort", "pk", "name", "moment")[:READ]
        for kind, model, name, moment in kinds
    ]
    first, *others = queries
    for kind, key, name, moment in first.union(*others, all=True):
        yield Hit(str(name), format_html("{}, {}", kind, show_moment(moment)), _page(_PAGES[kind], key), exact=True)


def _page(name: str, key: int) -> str:
    return reverse(f"admin:{name}_change", args=[key])
