"""Publishing a catalog: a draft becomes the one in force, its plans and add-ons get new versions where they differ.

Existing subscriptions keep the version and the price they were sold; a publication may let their limits follow
(`existing` = "move"), never their price. Who publishes may need a second person (`approvals.catalog_publication`),
except for the first catalog, which changes nothing for anyone.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts import reactions
from accounts.approval_grants import grants
from accounts.approvals import Proposal
from accounts.audit import Actor, record, require_reason
from accounts.errors import ApprovalRequired, Conflict, DomainError, NotFound
from accounts.models import ApprovalRequest
from accounts.outbox import emit
from accounts.policy import effective
from quotas import topics
from quotas.catalog.document import canonical_json, fingerprint
from quotas.catalog.terms import AddOn, Catalog, Plan
from quotas.catalog_drafts import locked_draft
from quotas.catalog_in_force import catalog_of, newest
from quotas.models import (
    CatalogItem,
    CatalogItemVersion,
    CatalogLine,
    CatalogPrice,
    CatalogState,
    CatalogVersion,
    ItemKind,
)

ACT = "quotas.publish_catalog"
PUBLISHED = "catalog.published"
EXISTING = ("keep", "move")
_NOT_VERSIONED = {"self_service", "disabled"}
Payload = dict[str, Any]


def payload(draft: CatalogVersion, existing: str) -> Payload:
    """The proposal as it is stored and decided. Raises DomainError (`existing_unknown`)."""
    if existing not in EXISTING:
        raise DomainError("existing subscriptions keep or move", field="existing", code="existing_unknown")
    return {"catalog": draft.pk, "sha256": draft.sha256, "existing": existing}


def perform(proposal: Payload, *, actor: Actor, reason: str, at: datetime, approval: ApprovalRequest | None) -> Payload:
    """The act as approvals carry it out."""
    published = publish(proposal, actor=actor, reason=reason, at=at, approval=approval)
    return {"catalog": published.public_id, "number": published.number}


def describe(proposal: Payload) -> Proposal:
    """For the people who decide."""
    draft = CatalogVersion.objects.filter(pk=proposal["catalog"]).first()
    if draft is None:
        raise NotFound("no such catalog", field="catalog")
    words = "their limits follow" if proposal["existing"] == "move" else "they keep what they have"
    return Proposal(f"Publish the catalog {draft.public_id}; existing subscriptions: {words}", None, None, "")


@transaction.atomic
def publishable(proposal: Payload) -> tuple[CatalogVersion, CatalogVersion | None]:
    """The draft of a proposal, locked, and what is in force. Raises NotFound, Conflict as `publish` does."""
    draft, current = locked_draft(proposal["catalog"]), newest()
    if draft.sha256 != proposal["sha256"]:
        raise Conflict("the draft is not what was looked at; look again", field="catalog", code="draft_changed")
    if draft.based_on_id != (current.pk if current else None):
        moved = "another catalog was published since this draft was made; open a new draft"
        raise Conflict(moved, field="catalog", code="catalog_moved_on")
    if current and current.sha256 == draft.sha256:
        raise Conflict("this draft says what is in force already", field="catalog", code="catalog_unchanged")
    return draft, current


def needs_second_person(current: CatalogVersion | None) -> bool:
    """The first catalog changes nothing for anyone."""
    return current is not None and bool(effective("approvals.catalog_publication"))


@transaction.atomic
def publish(
    proposal: Payload, *, actor: Actor, reason: str, at: datetime, approval: ApprovalRequest | None = None
) -> CatalogVersion:
    """Put a draft in force. Raises NotFound, Conflict (`not_a_draft`, `draft_changed`, `catalog_moved_on`,
    `catalog_unchanged`), CatalogInvalid, ApprovalRequired, ReasonRequired."""
    reason = require_reason(reason)
    with connection.cursor() as cursor:  # one publication at a time
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('catalog_publication'))")
    draft, current = publishable(proposal)
    if needs_second_person(current) and not grants(approval, ACT, proposal):
        raise ApprovalRequired("a second person must approve a publication", field="catalog")
    catalog = catalog_of(draft)
    changed = _list_items(draft, catalog, at)
    draft.state, draft.published_at, draft.changed_at = CatalogState.PUBLISHED, at, at
    draft.number = (current.number or 0) + 1 if current else 1
    draft.save(update_fields=["state", "published_at", "changed_at", "number"])
    after = {"number": draft.number, "sha256": draft.sha256, "changed": changed, "existing": proposal["existing"]}
    agreed = {"approval": approval.public_id} if approval else {}
    record(actor, PUBLISHED, subject=("catalog", draft.pk), at=at, reason=reason, after={**after, **agreed})
    emit(topics.CATALOG_PUBLISHED, {"catalog": draft.public_id, **after}, at=at)
    reactions.follow(PUBLISHED, catalog=draft, existing=proposal["existing"], actor=actor, at=at)
    return draft


def _list_items(draft: CatalogVersion, catalog: Catalog, at: datetime) -> list[str]:
    """Write what the draft lists, with new versions where terms differ; retire what it no longer lists."""
    sold = {version.item_id: version for version in CatalogItemVersion.objects.filter(retired_at=None)}
    changed, kept = [], set()
    entries: list[tuple[str, str, Plan | AddOn]] = [
        *((ItemKind.PLAN, code, plan) for code, plan in catalog.plans.items()),
        *((ItemKind.ADD_ON, code, addon) for code, addon in catalog.addons.items()),
    ]
    for position, (kind, code, terms) in enumerate(entries):
        item, _ = CatalogItem.objects.get_or_create(kind=kind, code=code, defaults={"created_at": at})
        version = _version(item, terms, sold.get(item.pk), at)
        if sold.get(item.pk) != version:
            changed.append(code)
        kept.add(item.pk)
        CatalogLine.objects.create(
            catalog=draft,
            item=item,
            version=version,
            position=position,
            self_service=terms.self_service,
            disabled=isinstance(terms, AddOn) and terms.disabled,
            external_ips=catalog.eip_quota.get(code) if kind == ItemKind.PLAN else None,
        )
    for item_id, version in sold.items():
        if item_id not in kept:
            _retire(version, at)
            changed.append(version.item.code)
    return changed


def versioned(terms: Plan | AddOn) -> Payload:
    """What of a section makes a new version where it differs: all but the operator's switches."""
    return terms.model_dump(by_alias=True, exclude_defaults=True, exclude=_NOT_VERSIONED)


def _version(
    item: CatalogItem, terms: Plan | AddOn, sold: CatalogItemVersion | None, at: datetime
) -> CatalogItemVersion:
    """The version that is sold already where its terms are the same, or else a new one with its prices."""
    section = versioned(terms)
    sha256 = fingerprint(section)
    if sold and sold.sha256 == sha256:
        return sold
    if sold:
        _retire(sold, at)
    number = 1 + CatalogItemVersion.objects.filter(item=item).count()
    version = CatalogItemVersion.objects.create(
        item=item, number=number, terms=canonical_json(section), sha256=sha256, published_at=at
    )
    CatalogPrice.objects.bulk_create(
        CatalogPrice(
            item=item,
            version=version,
            currency=price.currency,
            interval=price.interval,
            amount_minor=price.amount_minor,
        )
        for price in terms.all_prices()
    )
    return version


def _retire(version: CatalogItemVersion, at: datetime) -> None:
    version.retired_at = max(at, version.published_at)
    version.save(update_fields=["retired_at"])
