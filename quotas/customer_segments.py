"""Segments of customers, and which accounts are in them: one at a time, with history."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.errors import Conflict, NotFound, TimeInvalid, constraints
from accounts.locking import lock_account
from accounts.signed_history import save_signed
from quotas.errors import SegmentInvalid
from quotas.models import CustomerSegment, SegmentMembership
from quotas.plain_codes import is_code


@transaction.atomic
def open_segment(code: str, name: str, *, actor: Actor, reason: str, at: datetime) -> CustomerSegment:
    """Open a segment. Raises SegmentInvalid, Conflict (`segment_exists`), ReasonRequired."""
    at, reason = check_moment(at), require_reason(reason)
    if not is_code(code):
        raise SegmentInvalid("a code is 1 to 63 lower-case letters, digits and -", field="code")
    if not 0 < len(name) <= 128:
        raise SegmentInvalid("write a name of 1 to 128 characters", field="name")
    segment = CustomerSegment(code=code, name=name, created_at=at)
    taken = Conflict(f"there is a segment {code}", field="code", code="segment_exists")
    with constraints({"customer_segments_code_key": taken}), transaction.atomic():
        save_signed(segment, actor, reason, at)
    record(actor, "segment.open", subject=("segment", segment.pk), at=at, reason=reason, after={"code": code})
    return segment


@transaction.atomic
def place(
    account_id: int, segment: CustomerSegment | None, *, actor: Actor, reason: str, at: datetime
) -> SegmentMembership | None:
    """Put an account into a segment from `at` on, or, with None, into none.

    Raises NotFound, Conflict (`already_there`), TimeInvalid (before the last change), ReasonRequired.
    """
    at, reason = check_moment(at), require_reason(reason)
    account = lock_account(account_id)
    current = SegmentMembership.objects.filter(billing_account=account, effective_to=None).first()
    if (current.segment_id if current else None) == (segment.pk if segment else None):
        raise Conflict("the account is there already", field="segment", code="already_there")
    if current:
        if at < current.effective_from:
            raise TimeInvalid("the account changed its segment later than that")
        current.effective_to = at
        current.save(update_fields=["effective_to"])
    placed = None
    if segment:
        later = TimeInvalid("the account changed its segment later than that")
        with constraints({"segment_memberships_begin_open": later}):
            placed = SegmentMembership.objects.create(billing_account=account, segment=segment, effective_from=at)
    before, after = (current.segment.code if current else None), (segment.code if segment else None)
    record(
        actor,
        "segment.place",
        subject=("billing_account", account.pk),
        account=account,
        at=at,
        reason=reason,
        before={"segment": before},
        after={"segment": after},
    )
    return placed


def segment_of(account_id: int, at: datetime) -> CustomerSegment | None:
    """The segment an account is in at a moment."""
    held = SegmentMembership.objects.filter(
        Q(effective_to=None) | Q(effective_to__gt=at), billing_account_id=account_id, effective_from__lte=at
    )
    membership = held.select_related("segment").first()
    return membership.segment if membership else None


def find_segment(code: str) -> CustomerSegment:
    """The segment of a code. Raises NotFound."""
    segment = CustomerSegment.objects.filter(code=code).first()
    if segment is None:
        raise NotFound("there is no segment of that code", field="segment")
    return segment
