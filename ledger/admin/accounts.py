"""The chart as it was opened: ledger accounts, to read."""

from django.contrib import admin

from accounts.admin.filters import choice
from accounts.admin.staff_admin import StaffAdmin
from ledger.admin.entries import kinds
from ledger.models import LedgerAccount


@admin.register(LedgerAccount)
class LedgerAccountAdmin(StaffAdmin):
    list_display = ("id", "kind", "detail", "currency", "billing_account", "legal_entity", "chained")
    list_select_related = ("billing_account", "legal_entity")
    list_filter = (choice("kind", "kind", kinds),)
    fields = list_display
    empty_text = "The book is empty."
    empty_hint = "A ledger account is opened by the first act that needs it."
