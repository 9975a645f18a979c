"""What an act on a subscription would change, beside what is: for the preview of every such act."""

from collections.abc import Callable

from django.utils.html import format_html

from accounts.admin.act_pages import rehearse
from accounts.admin.previews import Fact
from accounts.models import Organization
from quotas.admin.limit_words import limits_of
from quotas.admin.subscription_words import STATES, held_words, price_words, show_next_move, show_period
from quotas.models import Subscription
from quotas.subscription_items import open_items
from quotas.subscription_outlook import held_price

_NONE = "nothing"


def changes(organization: Organization, act: Callable[[], Subscription]) -> list[Fact]:
    """Do the act, look, and undo it: each line as it is, or before → after. Raises whatever refuses the act."""
    before = _seen(Subscription.objects.filter(organization=organization).first(), organization)
    after: dict[str, object] = {}
    rehearse(lambda: after.update(_seen(act(), organization)))
    return [(title, _change(before.get(title, _NONE), value)) for title, value in after.items()]


def _seen(subscription: Subscription | None, organization: Organization) -> dict[str, object]:
    limits: dict[str, object] = dict(limits_of(organization.pk))
    if subscription is None:
        return limits
    items = open_items(subscription)
    return {
        "State": STATES[subscription.status],
        "Holds": held_words(items),
        "Price": price_words(held_price(subscription, items)),
        "Paid by": str(subscription.billing_account or "nobody yet"),
        "Period": show_period(subscription),
        "Next": show_next_move(subscription),
        **limits,
    }


def _change(before: object, after: object) -> object:
    return after if before == after else format_html("{} → {}", before, after)
