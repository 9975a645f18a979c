"""A page of what people did in an organization or with an account: newest first, without what systems did.

Refused acts and rehearsals write no audit row, so there is nothing to leave out. Who the people of a customer are is
masked as everywhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.activity import Named, asides, internal, names_of, of_kind, words_of
from accounts.currencies import EXPONENTS, format_minor
from accounts.models import AuditLog, User
from accounts.personal_data import masked_name

PAGE = 50
_LARGEST = 2**63 - 1
NOTHING = "none"
SOMETHING: Named = ("something", "")


@dataclass(frozen=True)
class Line:
    """What one act was, with links for pages and plain for programs."""

    key: int
    at: datetime
    kind: str
    actor: User
    sentence: SafeString
    plain: str
    reason: str

    @property
    def who(self) -> str:
        return who(self.actor)


@dataclass(frozen=True)
class Feed:
    """`older` is where the next page begins, or empty."""

    lines: list[Line]
    older: str


def of_organization(organization_id: int, *, kind: str = "", below: str = "", most: int = PAGE) -> Feed:
    """What people did in an organization. What concerns one account alone and is told of another row is left out."""
    return _feed(rows_of_organization(organization_id, kind=kind), below, most)


def of_account(account_id: int, *, kind: str = "", below: str = "") -> Feed:
    """What people did with a billing account."""
    return _feed(rows_of_account(account_id, kind=kind), below, PAGE)


def rows_of_organization(organization_id: int, *, kind: str = "", for_staff: bool = True) -> QuerySet[AuditLog]:
    rows = AuditLog.objects.filter(organization_id=organization_id).exclude(action__in=asides())
    return _told(rows, kind, for_staff)


def rows_of_account(account_id: int, *, kind: str = "", for_staff: bool = True) -> QuerySet[AuditLog]:
    return _told(AuditLog.objects.filter(billing_account_id=account_id), kind, for_staff)


def _told(rows: QuerySet[AuditLog], kind: str, for_staff: bool) -> QuerySet[AuditLog]:
    rows = rows.filter(actor__isnull=False)
    if kind:
        rows = rows.filter(action__in=of_kind(kind))
    if not for_staff:
        rows = rows.exclude(action__in=internal())
    return rows.select_related("actor", "billing_account", "organization")


def _feed(rows: QuerySet[AuditLog], below: str, most: int) -> Feed:
    if below.isascii() and below.isdigit() and len(below) <= 19:
        rows = rows.filter(pk__lt=min(int(below), _LARGEST))
    found = list(rows.order_by("-pk")[: most + 1])
    page = found[:most]
    return Feed(lines_of(page), str(page[-1].pk) if len(found) > most else "")


def lines_of(rows: Sequence[AuditLog]) -> list[Line]:
    """Rows of people, each in words; as many queries as there are kinds of subjects."""
    wanted: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        if row.subject_id is not None:
            wanted[row.subject_type].add(row.subject_id)
    accounts = {row.billing_account_id for row in rows if row.billing_account_id}
    wanted["billing_account"] |= accounts
    wanted["organization"] |= {row.organization_id for row in rows if row.organization_id}
    named = {type_: names_of(type_, keys) for type_, keys in wanted.items() if keys}
    return [_line(row, row.actor, named) for row in rows if row.actor]


def _line(row: AuditLog, actor: User, named: Mapping[str, Mapping[int, Named]]) -> Line:
    words, parts = words_of(row.action), _parts(row, named)
    plain = "".join(text for text, _ in parts)
    return Line(row.pk, row.at, words.kind, actor, format_html_join("", "{}", _links(parts)), plain, row.reason)


def who(user: User) -> str:
    """Staff by name; customers by their initials and id, which is how they are masked everywhere."""
    if user.is_staff:
        return user.get_full_name()
    return f"{masked_name(user)} ({user.public_id})".strip()


def _parts(row: AuditLog, named: Mapping[str, Mapping[int, Named]]) -> list[Named]:
    """What was done, without who did it: texts, each with the address of its page or nothing."""
    places = words_of(row.action).parts
    return [(part, "") if turn % 2 == 0 else _place(part, row, named) for turn, part in enumerate(places)]


def _links(parts: Iterable[Named]) -> Iterator[tuple[SafeString | str]]:
    for text, url in parts:
        yield (format_html('<a class="link" href="{}">{}</a>', url, text) if url else text,)


def _place(place: str, row: AuditLog, named: Mapping[str, Mapping[int, Named]]) -> Named:
    match place.partition("."):
        case ("account", _, _):
            return named.get("billing_account", {}).get(row.billing_account_id or 0, SOMETHING)
        case ("organization", _, _):
            return named.get("organization", {}).get(row.organization_id or 0, SOMETHING)
        case ("subject", _, _):
            return named.get(row.subject_type, {}).get(row.subject_id or 0, SOMETHING)
        case ("amount", _, _):
            return _amount(row), ""
        case ("before", _, key):
            return _value(row.before, key), ""
        case (_, _, key):
            return _value(row.after, key), ""


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
