"""How the back office shows money, moments and states: numbers to the right, a currency, one time zone at a time."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.csv_cells import in_csv, value_cell
from accounts.currencies import EXPONENTS, format_minor
from accounts.public_ids import encode

NOTHING = "–"
_TONES = {"good": "success", "bad": "danger", "wait": "warning", "calm": "info"}


def show_money(amount_minor: int | None, currency: str) -> SafeString:
    """An amount in minor units as `1,234.50 USD`; a debit carries a true minus sign and a colour."""
    if amount_minor is None:
        return format_html('<span class="money">{}</span>', NOTHING)
    # A row of the book may name a currency that has left the list; its amount is still shown.
    text = format_minor(amount_minor, currency) if currency in EXPONENTS else _in_minor_units(amount_minor, currency)
    sign = "negative" if amount_minor < 0 else "positive"
    return format_html('<span class="money {}">{}</span>', sign, text)


def show_moment(moment: datetime | None) -> SafeString | str:
    """A moment in the reader's time zone, UTC on hover."""
    if moment is None:
        return NOTHING
    local = timezone.localtime(moment)
    return format_html(
        '<time class="moment" datetime="{}" title="{}">{}</time>',
        moment.astimezone(UTC).isoformat(),
        f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}",
    )


def show_day(day: date | None) -> str:
    return day.isoformat() if day else NOTHING


def plain(number: object) -> str:
    """A decimal without the zeros it is stored with, two places at least."""
    whole, _, places = f"{number:f}".partition(".")
    return f"{whole}.{places.rstrip('0'):0<2}"


def show_tag(text: str, tone: str = "") -> SafeString:
    """A state in a coloured label; the word says it as well as the colour. Tones: good, bad, wait, calm."""
    return format_html('<span class="tag tag-{}">{}</span>', _TONES.get(tone, "plain"), text)


def show_pairs(values: dict[str, Any] | list[Any] | None) -> SafeString | str:
    """The keys and values of a JSON object, or the items of a list, one line each."""
    if not values:
        return NOTHING
    lines = values.items() if isinstance(values, dict) else enumerate(values, 1)
    return format_html_join("", '<div class="pair"><b>{}</b> {}</div>', lines)


def money(field: str, title: str, *, currency: str = "currency") -> Callable[[Any], SafeString | str]:
    """A column of an amount in minor units; `currency` may be of a related row: `billing_account.currency`."""
    name = field if field.endswith("_minor") else f"{field}_minor"

    @in_csv((name, attrgetter(field)), ("currency", attrgetter(currency)))
    @admin.display(description=title)
    def column(row: Any) -> SafeString | str:
        return show_money(getattr(row, field), attrgetter(currency)(row))

    column.__name__ = f"money_{field}"
    return column


def moment(field: str, title: str) -> Callable[[Any], SafeString | str]:
    """A column of a moment."""

    @in_csv((field, lambda row: value_cell(getattr(row, field))))
    @admin.display(description=title)
    def column(row: Any) -> SafeString | str:
        return show_moment(getattr(row, field))

    column.__name__ = f"moment_{field}"
    return column


def tag(field: str, title: str, tones: dict[str, str]) -> Callable[[Any], SafeString]:
    """A column of a state; `tones` says which words are good, bad or wait."""

    @in_csv((field, lambda row: str(getattr(row, field))))
    @admin.display(description=title)
    def column(row: Any) -> SafeString:
        value = str(getattr(row, field))
        return show_tag(value, tones.get(value, ""))

    column.__name__ = f"tag_{field}"
    return column


def pairs(field: str, title: str) -> Callable[[Any], SafeString | str]:
    """A field of JSON."""

    @in_csv((field, lambda row: value_cell(getattr(row, field))))
    @admin.display(description=title)
    def column(row: Any) -> SafeString | str:
        return show_pairs(getattr(row, field))

    column.__name__ = f"pairs_{field}"
    return column


@in_csv(
    ("billing_account", lambda row: encode("ba", row.billing_account_id) if row.billing_account_id else ""),
    ("billing_account_name", lambda row: row.billing_account.name if row.billing_account_id else ""),
)
@admin.display(description="Billing account")
def account_link(row: Any) -> SafeString | str:
    """The billing account of a row, leading to its page."""
    if row.billing_account_id is None:
        return NOTHING
    url = reverse("admin:accounts_billingaccount_change", args=[row.billing_account_id])
    return format_html('<a class="link" href="{}">{}</a>', url, row.billing_account.name)


@in_csv(("id", lambda row: str(row.public_id)))
@admin.display(description="Id")
def public_id(row: Any) -> str:
    return str(row.public_id)


def _in_minor_units(amount_minor: int, currency: str) -> str:
    return f"{'−' if amount_minor < 0 else ''}{abs(amount_minor)} {currency}"
