"""Drafts of the catalog: opened from a file or from what is in force, edited section by section, discarded."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from accounts.audit import Actor, record, require_reason
from accounts.errors import Conflict, NotFound
from quotas.catalog.document import canonical_json, fingerprint, parse, read_json
from quotas.catalog.reading import Document
from quotas.catalog.terms import Catalog
from quotas.catalog_in_force import catalog_of, in_force, newest
from quotas.models import CatalogState, CatalogVersion


@transaction.atomic
def open_draft(catalog: Catalog, *, source: str, actor: Actor, at: datetime) -> CatalogVersion:
    """A draft that says what `catalog` says. Raises Conflict (`catalog_unchanged`) where that is in force already."""
    document = catalog.as_document()
    sha256 = fingerprint(document)
    current = newest()
    if current and current.sha256 == sha256:
        raise Conflict("this is the catalog in force", field="catalog", code="catalog_unchanged")
    draft = CatalogVersion.objects.create(
        document=canonical_json(document),
        sha256=sha256,
        source=source[:64],
        based_on=current,
        created_at=at,
        changed_at=at,
        made_by_id=actor.user_id,
    )
    _tell(actor, "catalog.draft", draft, at)
    return draft


def change_section(
    draft_id: int, section: str, code: str, terms: Document | None, *, seen: str, actor: Actor, at: datetime
) -> CatalogVersion:
    """Put a plan, an add-on (`plans`, `addons`) or an operator's section (code empty) into a draft, or take one out
    with None. The whole document is checked again; what the editor does not show is kept.

    `seen` is the fingerprint of the draft that was edited. Raises CatalogInvalid, NotFound, Conflict (`draft_changed`).
    """

    def put(document: Document) -> None:
        if not code:
            document[section] = terms
        elif terms is None:
            document.get(section, {}).pop(code, None)
            if section == "plans":
                document["eipQuota"].pop(code, None)
        else:
            document.setdefault(section, {})[code] = terms

    return change(draft_id, put, seen=seen, actor=actor, at=at)


@transaction.atomic
def change(draft_id: int, edit: Callable[[Document], None], *, seen: str, actor: Actor, at: datetime) -> CatalogVersion:
    """Edit the document of a draft in place; it is checked whole, so that no section of it can be lost.

    Raises as `change_section`.
    """
    draft = locked_draft(draft_id)
    require_seen(draft, seen)
    document = read_json(draft.document)
    edit(document)
    document = parse(document).as_document()
    draft.document, draft.sha256, draft.changed_at = canonical_json(document), fingerprint(document), at
    draft.save(update_fields=["document", "sha256", "changed_at"])
    _tell(actor, "catalog.edit", draft, at)
    return draft


def require_seen(draft: CatalogVersion, seen: str) -> None:
    """Raises Conflict (`draft_changed`) where the draft is no longer what was looked at."""
    if draft.sha256 != seen:
        raise Conflict(
            "somebody else changed this draft meanwhile; open it again", field="catalog", code="draft_changed"
        )


def shift(section: Document, code: str, step: int) -> None:
    """Move an entry of a section up (−1) or down (1) in the order it is shown in. Raises NotFound."""
    codes = list(section)
    if code not in codes:
        raise NotFound("the draft lists nothing of that code", field="code")
    place = codes.index(code)
    codes.insert(max(0, place + step), codes.pop(place))
    entries = {key: section[key] for key in codes}
    section.clear()
    section.update(entries)


def draft_of_what_is_in_force(*, actor: Actor, at: datetime) -> CatalogVersion:
    """The editor's start: the newest open draft of the catalog in force, or a copy of it. Raises NoCatalog."""
    current = in_force()
    drafts = CatalogVersion.objects.filter(state=CatalogState.DRAFT, based_on=current, source=EDITOR)
    if found := drafts.order_by("-pk").first():
        return found
    with transaction.atomic():
        document = catalog_of(current).as_document()
        draft = CatalogVersion.objects.create(
            document=canonical_json(document),
            sha256=fingerprint(document),
            source=EDITOR,
            based_on=current,
            created_at=at,
            changed_at=at,
            made_by_id=actor.user_id,
        )
        _tell(actor, "catalog.draft", draft, at)
    return draft


@transaction.atomic
def discard(draft_id: int, *, actor: Actor, reason: str, at: datetime) -> CatalogVersion:
    """Give a draft up. Raises NotFound, Conflict (`not_a_draft`), ReasonRequired."""
    reason = require_reason(reason)
    draft = locked_draft(draft_id)
    draft.state, draft.changed_at = CatalogState.DISCARDED, at
    draft.save(update_fields=["state", "changed_at"])
    _tell(actor, "catalog.discard", draft, at, reason=reason)
    return draft


def locked_draft(draft_id: int) -> CatalogVersion:
    """Raises NotFound, Conflict (`not_a_draft`)."""
    draft = CatalogVersion.objects.select_for_update(no_key=True).filter(pk=draft_id).first()
    if draft is None:
        raise NotFound("no such catalog", field="catalog")
    if draft.state != CatalogState.DRAFT:
        raise Conflict(f"this catalog is {draft.state} already", field="catalog", code="not_a_draft")
    return draft


EDITOR = "editor"


def _tell(actor: Actor, action: str, draft: CatalogVersion, at: datetime, *, reason: str = "") -> None:
    after = {"catalog": draft.public_id, "sha256": draft.sha256, "source": draft.source}
    record(actor, action, subject=("catalog", draft.pk), at=at, reason=reason, after=after)
