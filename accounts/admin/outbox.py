"""What happened and where it was delivered, to read."""

from django.contrib import admin

from accounts.admin.filters import choice, days
from accounts.admin.staff_admin import StaffAdmin
from accounts.display import account_link, moment, pairs, tag
from accounts.models import DeliveryState, OutboxDelivery, OutboxMessage

_TONES = {"delivered": "good", "dead": "bad", "pending": "wait"}


@admin.register(OutboxMessage)
class OutboxMessageAdmin(StaffAdmin):
    list_display = ("id", "topic", account_link, "seq", moment("occurred_at", "Happened"), "correlation_id")
    list_select_related = ("billing_account",)
    list_filter = (days("occurred_at", "day"),)
    search_fields = ("correlation_id", "=topic")
    search_help_text = "Topic, or correlation id"
    fields = (
        "id",
        "topic",
        "organization",
        "billing_account",
        "seq",
        pairs("payload", "Payload"),
        "correlation_id",
        moment("occurred_at", "Happened"),
        moment("created_at", "Written"),
    )


@admin.register(OutboxDelivery)
class OutboxDeliveryAdmin(StaffAdmin):
    list_display = (
        "id",
        tag("state", "State", _TONES),
        "route",
        "message",
        account_link,
        "attempts",
        moment("next_attempt_at", "Next attempt"),
        "last_error",
    )
    list_select_related = ("message", "billing_account")
    list_filter = (choice("state", "state", lambda: DeliveryState.choices),)
    fields = (*list_display, moment("finished_at", "Finished"))
    empty_text = "No delivery here."
    empty_hint = "Nothing waits and nothing was given up."
