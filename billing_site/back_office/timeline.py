"""The timeline of an account's page: which lines can be asked for, and its addresses."""

from collections.abc import Mapping
from urllib.parse import urlencode

from ledger.account_lines import BUT_USAGE

PAGE = 25
# What finance people ask for; the words of the book that are none of these are shown as they are.
KINDS = {
    BUT_USAGE: "All but usage",
    "usage": "Usage",
    "topup": "Top-ups",
    "transfer": "Bank transfers",
    "credit_grant": "Credit granted",
    "adjustment": "Adjustments",
    "refund": "Refunds",
    "invoice": "Invoices",
    "payment": "Payments",
    "dispute": "Disputes",
    "write_off": "Write-offs",
    "expiry": "Expired credit",
}


def query_of(asked: Mapping[str, str], below: str = "") -> str:
    """The address of a page of the same lines."""
    return "?" + urlencode({key: value for key, value in {**asked, "below": below}.items() if value})
