"""The audit trail, to read."""

from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.filters import days
from accounts.admin.staff_admin import StaffAdmin
from accounts.csv_cells import in_csv
from accounts.display import account_link, moment, pairs, show_money
from accounts.models import AuditLog, BillingAccount
from accounts.public_ids import decode


@admin.register(AuditLog)
class AuditLogAdmin(StaffAdmin):
    list_display = (moment("at", "At"), "action", "by", account_link, "reason", "balance")
    list_select_related = ("actor", "billing_account")
    list_filter = (days("at", "day"),)
    exact_search = ("correlation_id", "action")
    search_fields = ("pk",)
    search_help_text = "Billing account (ba_…), action, such as ledger.adjust, or correlation id"
    fields = (
        moment("at", "At"),
        "action",
        "actor_kind",
        "by",
        "subject_type",
        "subject_id",
        "organization",
        "billing_account",
        "reason",
        "balance",
        pairs("before", "Before"),
        pairs("after", "After"),
        "correlation_id",
        moment("created_at", "Written"),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        account = decode(BillingAccount.PUBLIC_PREFIX, search_term.strip())
        if account is not None:
            return queryset.filter(billing_account_id=account), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="By")
    def by(self, row: AuditLog) -> str:
        return row.actor.public_id if row.actor else row.actor_kind

    @in_csv(
        ("new_balance_minor", attrgetter("new_balance")),
        ("currency", lambda row: row.billing_account.currency if row.billing_account else ""),
    )
    @admin.display(description="Balance after")
    def balance(self, row: AuditLog) -> str:
        return show_money(row.new_balance, row.billing_account.currency if row.billing_account else "")
