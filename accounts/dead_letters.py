"""Dead letters: deliveries that the relay gave up. A person puts one back on its way once its cause is mended."""

from datetime import datetime

from django.db import transaction

from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.errors import Conflict, NotFound
from accounts.models import DeliveryState, OutboxDelivery


class NotDead(Conflict):
    code = "not_dead"
    field = "delivery"


def check(delivery: OutboxDelivery) -> None:
    """Raises NotDead for a delivery that waits or that arrived."""
    if delivery.state != DeliveryState.DEAD:
        raise NotDead(f"delivery {delivery.public_id} is {delivery.state}; only a dead one is replayed")


@transaction.atomic
def replay(delivery_id: int, *, actor: Actor, reason: str, at: datetime) -> OutboxDelivery:
    """Make a dead delivery pending again, with all its tries before it, due at `at`. Audited with the reason.

    It runs at the relay's next look, and holds back its account's later ones on the route until it ends. Of two
    replays at once one has an effect. Raises NotFound, NotDead (`not_dead`), ReasonRequired, TimeInvalid.
    """
    reason, at = require_reason(reason), check_moment(at)
    found = OutboxDelivery.objects.select_for_update(of=("self",)).select_related("message", "billing_account")
    delivery = found.filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFound("no such delivery", field="delivery")
    check(delivery)
    before = {"state": delivery.state, "attempts": delivery.attempts}
    delivery.state, delivery.attempts = DeliveryState.PENDING, 0
    delivery.next_attempt_at, delivery.finished_at = at, None
    delivery.save(update_fields=["state", "attempts", "next_attempt_at", "finished_at"])
    record(
        actor,
        "outbox.replay",
        subject=("outbox_delivery", delivery.pk),
        at=at,
        reason=reason,
        account=delivery.billing_account,
        organization_id=delivery.message.organization_id,
        before=before,
        after={
            "state": delivery.state,
            "attempts": 0,
            "topic": delivery.message.topic,
            "message": delivery.message_id,
            "route": delivery.route,
        },
    )
    return delivery
