"""A catalog file becomes a draft, and is published at once or as soon as a second person agrees."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import approvals
from accounts.audit import Actor
from accounts.errors import ApprovalRequired, Conflict
from accounts.models import ApprovalRequest, User
from quotas import catalog_publishing, catalog_refusals
from quotas.catalog.document import parse_text, unknown_keys
from quotas.catalog.faults import CatalogInvalid
from quotas.catalog.terms import Catalog
from quotas.catalog_drafts import open_draft
from quotas.catalog_in_force import in_force
from quotas.models import CatalogVersion


@dataclass(frozen=True)
class Imported:
    """`state` is published, unchanged, or waiting: for the second person of `request`, or for somebody to publish."""

    state: str
    catalog: CatalogVersion
    request: ApprovalRequest | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "catalog": self.catalog.public_id,
            "version": self.catalog.number,
            "sha256": self.catalog.sha256,
            "approval": self.request.public_id if self.request else None,
        }


def read(text: str | bytes, *, source: str, at: datetime) -> Catalog:
    """Read a document and keep the alarm of its source true: call it with no transaction open.

    Raises CatalogInvalid; the last good catalog stays in force.
    """
    try:
        catalog = parse_text(text)
    except CatalogInvalid as error:
        catalog_refusals.raise_alarm(source, error, at=at)
        raise
    catalog_refusals.resolve(source, at=at)
    return catalog


@transaction.atomic
def import_catalog(
    catalog: Catalog, *, source: str, existing: str, maker: User | None, actor: Actor, reason: str, at: datetime
) -> Imported:
    """Draft and publish. Without a `maker` no second person can be asked: the draft then waits for one to publish it.

    Raises what open_draft and publish raise, except for what is in force already.
    """
    try:
        with transaction.atomic():
            draft = open_draft(catalog, source=source, actor=actor, at=at)
    except Conflict as error:
        if error.code != "catalog_unchanged":
            raise
        return Imported("unchanged", in_force())
    proposal = catalog_publishing.payload(draft, existing)
    if maker:
        outcome = approvals.submit(catalog_publishing.ACT, proposal, maker=maker, reason=reason, at=at)
        draft.refresh_from_db()
        return Imported("waiting" if outcome.request else "published", draft, outcome.request)
    try:
        with transaction.atomic():
            return Imported("published", catalog_publishing.publish(proposal, actor=actor, reason=reason, at=at))
    except ApprovalRequired:
        return Imported("waiting", draft)


def summary(catalog: Catalog) -> dict[str, Any]:
    """What a document holds, and what in it nothing reads."""
    return {
        "plans": list(catalog.plans),
        "addons": list(catalog.addons),
        "unknown_keys": list(unknown_keys(catalog)),
    }
