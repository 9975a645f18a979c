"""What happened, where it was delivered, and what was given up."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from accounts.admin.dead_letters import Replay
from accounts.admin.filters import choice, days
from accounts.admin.staff_admin import StaffAdmin
from accounts.csv_cells import in_csv, value_cell
from accounts.display import NOTHING, account_link, moment, pairs, public_id, show_moment, tag
from accounts.models import DeliveryState, OutboxDelivery, OutboxMessage
from accounts.request_abilities import may

_TONES = {"delivered": "good", "dead": "bad", "pending": "wait"}
_SHOWN_OF_AN_ERROR = 90


@admin.register(OutboxMessage)
class OutboxMessageAdmin(StaffAdmin):
    list_display = ("id", "topic", account_link, "seq", moment("occurred_at", "Happened"), "correlation_id")
    list_select_related = ("billing_account",)
    list_filter = (days("occurred_at", "day"),)
    exact_search = ("correlation_id", "topic")
    search_fields = ("pk",)
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


@admin.display(description="Message")
@in_csv(("message", lambda row: row.message_id), ("topic", lambda row: row.message.topic))
def message_link(row: OutboxDelivery) -> SafeString:
    """What is delivered, leading to its page."""
    url = reverse("admin:accounts_outboxmessage_change", args=[row.message_id])
    return format_html('<a class="link whitespace-nowrap" href="{}">{}</a>', url, row.message)


@admin.display(description="Last error")
@in_csv(("last_error", lambda row: row.last_error))
def error_in_short(row: OutboxDelivery) -> str:
    return Truncator(row.last_error).chars(_SHOWN_OF_AN_ERROR) or NOTHING


@admin.display(description="Next attempt")
@in_csv(("next_attempt_at", lambda row: value_cell(row.next_attempt_at if _waits(row) else None)))
def next_attempt(row: OutboxDelivery) -> SafeString | str:
    return show_moment(row.next_attempt_at) if _waits(row) else NOTHING


def _waits(row: OutboxDelivery) -> bool:
    return row.state == DeliveryState.PENDING


@admin.display(description="Act")
def replay_link(row: OutboxDelivery) -> SafeString | str:
    """Leads to the act, on a dead delivery."""
    if row.state != DeliveryState.DEAD:
        return NOTHING
    url = reverse("admin:accounts_outboxdelivery_replay", args=[row.pk])
    return format_html('<a class="link whitespace-nowrap" href="{}">Replay</a>', url)


@admin.register(OutboxDelivery)
class OutboxDeliveryAdmin(StaffAdmin):
    act_pages = (Replay,)
    change_form_before_template = "admin/outbox/replay_link.html"
    list_display = (
        public_id,
        tag("state", "State", _TONES),
        message_link,
        account_link,
        "attempts",
        next_attempt,
        error_in_short,
    )
    list_select_related = ("message", "billing_account")
    list_filter = (choice("state", "state", lambda: DeliveryState.choices),)
    fields = (
        public_id,
        tag("state", "State", _TONES),
        message_link,
        account_link,
        "route",
        "attempts",
        "last_error",
        next_attempt,
        moment("finished_at", "Finished"),
    )
    empty_text = "No delivery here."
    empty_hint = "Nothing waits and nothing was given up."

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return (*shown, replay_link) if may(request, Replay.ability) else shown
