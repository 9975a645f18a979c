"""Saved filters: a list as somebody likes to see it, under a name of their own. They are theirs alone."""

from collections.abc import Collection, Mapping
from datetime import datetime
from urllib.parse import urlencode

from django.db import transaction

from accounts.errors import Conflict, DomainError, NotFound, constraints
from accounts.models import SavedFilter, User

MOST = 20  # of a person on a list
LONGEST_NAME = 60
LONGEST_QUERY = 1000


class FilterInvalid(DomainError):
    code = "filter_invalid"
    field = "query"


class FilterNameInvalid(DomainError):
    code = "filter_name_invalid"
    field = "name"


def query_of(parameters: Mapping[str, str], *, offered: Collection[str]) -> str:
    """Parameters as a query string, sorted, without empty ones. Raises FilterInvalid for one that is not offered."""
    unknown = sorted(set(parameters) - set(offered))
    if unknown:
        raise FilterInvalid(f"this list has no filter {unknown[0]!r}")
    kept = {name: value.strip() for name, value in sorted(parameters.items()) if value.strip()}
    if any("\x00" in value for value in kept.values()):
        raise FilterInvalid("a filter holds a character that cannot be kept")
    query = urlencode(kept, errors="replace")
    if len(query) > LONGEST_QUERY:
        raise FilterInvalid("these filters are too long to be kept")
    return query


@transaction.atomic
def save(
    user: User, page: str, name: str, parameters: Mapping[str, str], *, offered: Collection[str], at: datetime
) -> SavedFilter:
    """Keep the filters of a list; `page` names the list, `offered` the parameters it has.

    Raises FilterNameInvalid, FilterInvalid (nothing is filtered, not offered, too long), Conflict (the name is taken,
    or there are as many as one may have).
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise FilterNameInvalid(f"give it a name of 1 to {LONGEST_NAME} characters")
    query = query_of(parameters, offered=offered)
    if not query:
        raise FilterInvalid("nothing is filtered; choose filters first")
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two saves at once cannot pass the limit together
    if SavedFilter.objects.filter(user=user, page=page).count() >= MOST:
        raise Conflict(f"{MOST} filters are saved on this list; delete one first", code="too_many_filters")
    taken = Conflict(f"you have a filter {name!r} on this list", field="name", code="filter_name_taken")
    with constraints({"saved_filter_name_once_per_page": taken}):
        return SavedFilter.objects.create(user=user, page=page, name=name, query=query, created_at=at)


def delete(user: User, page: str, key: int) -> str:
    """Remove one's own saved filter; its name. Raises NotFound, for another person's too."""
    found = SavedFilter.objects.filter(user=user, page=page, pk=key).first()
    if found is None:
        raise NotFound("you have no such filter on this list")
    found.delete()
    return found.name


def of(user: User, page: str) -> list[SavedFilter]:
    """A person's filters of a list, by name."""
    return sorted(SavedFilter.objects.filter(user=user, page=page), key=lambda saved: saved.name.casefold())
