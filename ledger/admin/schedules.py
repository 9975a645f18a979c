"""What the tick will look at next and what it had to park; and the runs of verification."""

from django.contrib import admin
from django.db.models import QuerySet

from accounts.admin.filters import choice
from accounts.admin.staff_admin import StaffAdmin
from accounts.display import NOTHING, account_link, moment, pairs
from ledger.admin.retry import Retry
from ledger.models import AccrualSchedule, VerificationRun


def _parked(rows: QuerySet[AccrualSchedule], value: str) -> QuerySet[AccrualSchedule]:
    return rows.filter(parked_at__isnull=value == "no")


@admin.register(AccrualSchedule)
class AccrualScheduleAdmin(StaffAdmin):
    act_pages = (Retry,)
    change_form_before_template = "admin/ledger/retry_link.html"
    list_display = (
        "billing_account",
        moment("due_at", "Due"),
        moment("parked_at", "Parked"),
        "park_code",
        "park_reason",
        "failures",
        moment("retry_at", "Next try"),
    )
    list_select_related = ("billing_account",)
    list_filter = (choice("parked", "parked", lambda: [("yes", "parked"), ("no", "not parked")], _parked),)
    search_fields = ("billing_account__name",)
    search_help_text = "Billing account"
    fields = (
        account_link,
        moment("due_at", "Due"),
        moment("parked_at", "Parked since"),
        "error",
        "failures",
        moment("retry_at", "Next try"),
    )
    empty_text = "No account here."
    empty_hint = "An account is parked when billing it fails; the others go on, and it is tried again by itself."

    @admin.display(description="Error")
    def error(self, row: AccrualSchedule) -> str:
        return f"{row.park_code}: {row.park_reason}" if row.parked_at else NOTHING


@admin.register(VerificationRun)
class VerificationRunAdmin(StaffAdmin):
    list_display = (moment("started_at", "Started"), moment("finished_at", "Finished"), "violation_count")
    fields = (*list_display, pairs("violations", "Violations"))
    empty_text = "The books were never verified."
    empty_hint = "Run verify_books, or let the nightly task do it."
