"""A page of what people did in an organization or with an account: newest first, without what systems did.

Refused acts and rehearsals write no audit row, so there is nothing to leave out. Who the people of a customer are is
masked as everywhere.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.activity import Named, asides, names_of, of_kind, words_of
from accounts.currencies import EXPONENTS, format_minor
from accounts.models import AuditLog, User
from accounts.personal_data import masked_name

PAGE = 50
_LARGEST = 2**63 - 1
NOTHING = "none"


@dataclass(frozen=True)
class Line:
    key: int
    at: datetime
    kind: str
    who: str
    sentence: SafeString
    reason: str


@dataclass(frozen=True)
class Feed:
    """`older` is where the next page begins, or empty."""

    lines: list[Line]
    older: str


def of_organization(organization_id: int, *, kind: str = "", below: str = "", most: int = PAGE) -> Feed:
    """What people did in an organization. What concerns one account alone and is told of another row is left out."""
    rows = AuditLog.objects.filter(organization_id=organization_id).exclude(action__in=asides())
    return _feed(rows, kind, below, most)


def of_account(account_id: int, *, kind: str = "", below: str = "") -> Feed:
    """What people did with a billing account."""
    return _feed(AuditLog.objects.filter(billing_account_id=account_id), kind, below, PAGE)


def _feed(rows: QuerySet[AuditLog], kind: str, below: str, most: int) -> Feed:
    rows = rows.filter(actor__isnull=False)
    if kind:
        rows = rows.filter(action__in=of_kind(kind))
    if below.isascii() and below.isdigit() and len(below) <= 19:
        rows = rows.filter(pk__lt=min(int(below), _LARGEST))
    rows = rows.select_related("actor", "billing_account", "organization").order_by("-pk")
    found = list(rows[: most + 1])
    page = found[:most]
    return Feed(_lines(page), str(page[-1].pk) if len(found) > most else "")


def _lines(rows: Sequence[AuditLog]) -> list[Line]:
    wanted: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        if row.subject_id is not None:
            wanted[row.subject_type].add(row.subject_id)
    accounts = {row.billing_account_id for row in rows if row.billing_account_id}
    wanted["billing_account"] |= accounts
    wanted["organization"] |= {row.organization_id for row in rows if row.organization_id}
    named = {type_: names_of(type_, keys) for type_, keys in wanted.items() if keys}
    return [
        Line(row.pk, row.at, words_of(row.action).kind, who(row.actor), sentence(row, named), row.reason)
        for row in rows
    ]


def who(user: User | None) -> str:
    """Staff by name; customers by their initials and id, which is how they are masked everywhere."""
    if user is None:
        return "The system"
    if user.is_staff:
        return user.get_full_name()
    return f"{masked_name(user)} ({user.public_id})".strip()


def sentence(row: AuditLog, named: Mapping[str, Mapping[int, Named]]) -> SafeString:
    """What was done, without who did it."""
    places = words_of(row.action).parts
    plain = ((part,) if turn % 2 == 0 else (_place(part, row, named),) for turn, part in enumerate(places))
    return format_html_join("", "{}", plain)


def _place(place: str, row: AuditLog, named: Mapping[str, Mapping[int, Named]]) -> SafeString | str:
    match place.partition("."):
        case ("account", _, _):
            return _link(named.get("billing_account", {}).get(row.billing_account_id or 0))
        case ("organization", _, _):
            return _link(named.get("organization", {}).get(row.organization_id or 0))
        case ("subject", _, _):
            return _link(named.get(row.subject_type, {}).get(row.subject_id or 0))
        case ("amount", _, _):
            return _amount(row)
        case ("before", _, key):
            return _value(row.before, key)
        case (_, _, key):
            return _value(row.after, key)


def _link(name: Named | None) -> SafeString | str:
    if name is None:
        return "something"
    text, url = name
    return format_html('<a class="link" href="{}">{}</a>', url, text) if url else text


def _amount(row: AuditLog) -> str:
    """What the balance moved by, with its sign; no amount where the row does not say."""
    if row.old_balance is None or row.new_balance is None or row.billing_account is None:
        return "an amount"
    moved, currency = row.new_balance - row.old_balance, row.billing_account.currency
    text = format_minor(abs(moved), currency) if currency in EXPONENTS else f"{abs(moved)} {currency}"
    return f"{'−' if moved < 0 else '+'}{text}"


def _value(values: dict[str, Any] | None, key: str) -> str:
    value = (values or {}).get(key)
    if value in (None, "", [], {}):
        return NOTHING
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(str(item) for item in value)
        case dict():
            return ", ".join(f"{name} {item}" for name, item in value.items())
        case _:
            return str(value)
