"""Catalogs that were refused: the last good one stays in force, and the alarm stands until its source is good again."""

from datetime import datetime

from django.db import transaction

from accounts.audit import Actor, record, require_reason
from accounts.errors import Conflict, NotFound
from accounts.outbox import emit
from quotas import topics
from quotas.catalog.faults import CatalogInvalid
from quotas.models import CatalogRefusal

_MOST = 200


@transaction.atomic
def raise_alarm(source: str, error: CatalogInvalid, *, at: datetime) -> CatalogRefusal:
    """Remember what was wrong with the newest document of a source; told once while it stays wrong."""
    faults = [fault.as_json() for fault in error.faults[:_MOST]]
    source = source[:64]
    refusal = CatalogRefusal.objects.select_for_update().filter(source=source, resolved_at=None).first()
    if refusal:
        refusal.faults = faults
        refusal.save(update_fields=["faults"])
        return refusal
    refusal = CatalogRefusal.objects.create(source=source, faults=faults, refused_at=at)
    emit(topics.CATALOG_REFUSED, {"source": source, "faults": faults[:20]}, at=at)
    return refusal


def resolve(source: str, *, at: datetime) -> int:
    """A good document came from the source: its alarm is over."""
    return CatalogRefusal.objects.filter(source=source[:64], resolved_at=None).update(resolved_at=at)


@transaction.atomic
def end(refusal_id: int, *, actor: Actor, reason: str, at: datetime) -> CatalogRefusal:
    """End an alarm by hand. Raises NotFound, Conflict (`alarm_over`), ReasonRequired."""
    reason = require_reason(reason)
    refusal = CatalogRefusal.objects.select_for_update().filter(pk=refusal_id).first()
    if refusal is None:
        raise NotFound("no such refusal", field="refusal")
    if refusal.resolved_at:
        raise Conflict("this alarm is over already", field="refusal", code="alarm_over")
    refusal.resolved_at = at
    refusal.save(update_fields=["resolved_at"])
    after = {"source": refusal.source, "faults": len(refusal.faults)}
    record(actor, "catalog.end_alarm", subject=("catalog_refusal", refusal.pk), at=at, reason=reason, after=after)
    return refusal
