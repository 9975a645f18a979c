"""One box for everything: what is typed says which few look-ups are worth it, and each of them uses an index.

A public id leads to its row. An address leads to the person and to what they belong to. Anything else is looked up as
a business key, a bank reference, an external id, a SKU, a request id, and as the beginning of a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User
from accounts.public_ids import PublicId, decode
from accounts.request_abilities import may
from billing_site.back_office import search_names, search_people, search_records
from billing_site.back_office.search_hits import Group, Hit

LONGEST = 200

SEARCHABLE = (
    ("A public id", "ba_0000000000007, tx_…, ent_…, use_…, alc_…, btr_…, apr_…, org_…, prj_…, usr_…, sub_…, sku_…"),
    ("An e-mail address, whole", "the organizations and accounts of an owner or member"),
    ("A bank reference, or a business key", "STMT-2026-03, transfer:STMT-2026-03, adjust:12"),
    ("The beginning of a name", "of an organization, a billing account or a project; an organization's short name"),
    ("An external id", "of an allocation, as the platform calls the machine"),
    ("A SKU", "by its code"),
    ("A request id", "everything that one request or task wrote"),
)


@dataclass(frozen=True)
class Found:
    term: str
    groups: Sequence[Group]

    @property
    def destination(self) -> str:
        """Where to go at once: the page of the one hit, if it is exactly what was asked for."""
        hits = [hit for group in self.groups for hit in group.hits]
        return hits[0].url if len(hits) == 1 and hits[0].exact else ""


def search(term: str, site: AdminSite, request: HttpRequest) -> Found:
    """What is found for a reader; nothing for an empty term, or for one that is too long to be any of it."""
    term = term.strip()
    if not term or len(term) > LONGEST or "\x00" in term:
        return Found(term[:LONGEST].replace("\x00", ""), [])
    named = _named(term.lower())
    if named:
        return Found(term, _by_public_id(*named, site, request))
    if "@" in term:
        return Found(term, search_people.by_address(term.lower(), request))
    groups = [*search_records.find(term), *search_names.find(term)]
    return Found(term, [group for group in groups if group.hits])


def _named(term: str) -> tuple[type[Model], int] | None:
    """The kind and the key that a public id names."""
    prefix = term.partition("_")[0]
    for model in apps.get_models():
        if issubclass(model, PublicId) and prefix == model.PUBLIC_PREFIX:
            key = decode(prefix, term)
            return (model, key) if key else None
    return None


def _by_public_id(model: type[Model], key: int, site: AdminSite, request: HttpRequest) -> list[Group]:
    if model is User and not may(request, "administer"):
        return search_people.by_key(key, request)
    row: Any = model._default_manager.filter(pk=key).first()
    if row is None:
        return []
    url = _page_of(row, site, request)
    title = str(model._meta.verbose_name_plural)
    return [Group(title[:1].upper() + title[1:], [Hit(row.public_id, "", url, exact=True)])] if url else []


def _page_of(row: Any, site: AdminSite, request: HttpRequest) -> str:
    """The page of a row; of a kind without a page of its own, the page of its billing account."""
    if site.is_registered(type(row)):
        if not site.get_model_admin(type(row)).has_view_permission(request):
            return ""
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    account = getattr(row, "billing_account_id", None)
    return reverse("admin:accounts_billingaccount_change", args=[account]) if account else ""
