"""Entries of the book, as the account they belong to reads them: newest first, each with the balance it left."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.abilities import READ_BILLING
from accounts.api import described, paging
from accounts.api.billing_account_names import account_named, accounts_of
from accounts.api.fields import Moment
from accounts.api.naming import named
from accounts.api.operations import needing, reading
from accounts.api.queries import PageQuery
from accounts.api.resources import Resource
from accounts.callers import visible
from accounts.clock import parse_moment
from accounts.models import BillingAccount
from accounts.public_ids import encode
from ledger import chain_search
from ledger.account_lines import Asked, Line, timeline
from ledger.models import LedgerEntry, LedgerTransaction


class EntryOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    transaction = serializers.CharField()
    billing_account = serializers.CharField()
    kind = serializers.CharField(help_text="wallet, unbilled, receivable or held")
    amount_minor = serializers.IntegerField(help_text="Positive credits, negative debits; minor units.")
    balance_after_minor = serializers.IntegerField()
    currency = serializers.CharField()
    reason = serializers.CharField()
    business_key = serializers.CharField(help_text="What the money is; never twice.")
    sequence = serializers.IntegerField(help_text="Counts the lines of this kind: 1, 2, 3 …")
    effective_at = Moment()


class EntryPage(serializers.Serializer[Any]):
    data = EntryOut(many=True)  # type: ignore[assignment] # as every list names it
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


class EntryQuery(PageQuery):
    cursor = serializers.RegexField(r"^[0-9]{1,18}\.[0-9]{1,18}(-[0-9]{1,18}\.[0-9]{1,18}){0,19}$", required=False)
    reason = serializers.RegexField(r"^[a-z_]{1,32}$", required=False, help_text="`not_usage` leaves usage out.")
    after = serializers.CharField(required=False, max_length=40, help_text="Moment: those effective later.")
    until = serializers.CharField(required=False, max_length=40, help_text="Moment: those effective up to it.")


class Entries(Resource):
    @needing(READ_BILLING)
    @extend_schema(
        summary="List the entries of a billing account",
        description="Its customer lines, newest first. Needs `billing:read`.",
        parameters=[EntryQuery],
        responses=described.answers({200: EntryPage}, writes=False),
    )
    def get(self, request: Request, account: str) -> Response:
        self.require_ability(READ_BILLING)
        query = EntryQuery.read(request.query_params)
        found = account_named(accounts_of(self.caller), account)
        after, until = (
            parse_moment(query[name], field=name) if query.get(name) else None for name in ("after", "until")
        )
        chains = chain_search.find(found.pk, [moment for moment in (after, until) if moment])
        asked = Asked(query.get("reason", ""), after, until, query.get("cursor", ""))
        lines = timeline(chains, asked, page=query.get("limit", paging.USUAL))
        data: Any = EntryOut([_of_line(line, found.public_id) for line in lines.entries], many=True).data
        return Response(paging.answer(data, lines.next_page or None))


class OneEntry(Resource):
    @reading("Get an entry", needs=READ_BILLING, answers=EntryOut)
    def get(self, entry: str) -> dict[str, Any]:
        found = named(_entries_of(self), entry, what="entry")
        return _of_line(_line(found), encode(BillingAccount.PUBLIC_PREFIX, found.billing_account_id or 0))


def _entries_of(view: Resource) -> QuerySet[LedgerEntry]:
    rows = LedgerEntry.objects.filter(account_seq__isnull=False)  # the other sides are our own
    rows = rows.select_related("transaction", "ledger_account")
    return visible(rows, view.caller, READ_BILLING, organization="billing_account__organization_id")


def _moment(query: dict[str, Any], name: str) -> datetime | None:
    return parse_moment(query[name], field=name) if query.get(name) else None


def _of_line(line: Line, billing_account: str) -> dict[str, Any]:
    return {
        "id": line.public_id,
        "transaction": encode(LedgerTransaction.PUBLIC_PREFIX, line.transaction_id),
        "billing_account": billing_account,
        "kind": line.kind,
        "amount_minor": line.amount_minor,
        "balance_after_minor": line.balance_after,
        "currency": line.currency,
        "reason": line.reason,
        "business_key": line.business_key,
        "sequence": line.seq,
        "effective_at": line.effective_at,
    }


def _line(entry: LedgerEntry) -> Line:
    """The line that this row of the book is in its account's list."""
    return Line(
        entry.pk,
        entry.ledger_account_id,
        entry.account_seq or 0,
        entry.effective_at,
        entry.amount_minor,
        entry.balance_after or 0,
        entry.currency,
        entry.ledger_account.kind,
        entry.reason,
        entry.transaction_id,
        entry.transaction.business_key,
        "corrects_entry_id" in (entry.metadata or {}),
    )
