"""Filters of the catalog's pages."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template

register = template.Library()


@register.filter
def plain_number(number: Decimal) -> str:
    """Without an exponent, and with its thousands apart."""
    return f"{number:,f}"


@register.filter
def held(holders: Mapping[str, str], row: Any) -> str:
    """How many subscriptions hold what a row lists."""
    return holders.get(f"{row.kind} {row.code}", "0")
