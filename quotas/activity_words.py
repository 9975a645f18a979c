"""The sentences of this room's acts, and what its subjects are called."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from accounts.activity import Named, Words, register, register_subject
from quotas.models import Allocation

_USAGE = {
    "allocation.request": "asked for a machine: {subject}",
    "allocation.start": "started {subject}, paid by {account}",
    "allocation.resize": "resized {subject} from {after.was} to {after.quantity}",
    "allocation.request_release": "asked for the release of {subject}",
    "allocation.release": "said that {subject} is released",
    "external_ip.hold": "took the public address {after.name}",
    "external_ip.release": "gave the public address {after.name} back",
    "project_quota.set": "gave the project {subject} a quota of its own",
    "project_quota.remove": "took the project {subject} its own quota",
}
_PLAN = {
    "subscription.assign": "gave the organization the plan {after.plan}; add-ons: {after.addons}",
    "subscription.active": "made the subscription to {after.plan} active again",
    "subscription.trialing": "put the subscription to {after.plan} on trial",
    "subscription.past_due": "marked the subscription to {after.plan} past due",
    "subscription.canceling": "canceled the subscription to {after.plan} at the end of its period",
    "subscription.suspended": "suspended the subscription to {after.plan}",
    "subscription.canceled": "canceled the subscription to {after.plan}",
    "entitlement.assign": "let {account} buy by the offer {after.offer}, after {before.offer}",
    "segment.open": "opened the customer segment {after.code}",
    "segment.place": "moved {account} from the segment {before.segment} to {after.segment}",
    "discount.grant": "granted {account} a discount",
    "discount.withdraw": "took a discount of {account} back",
    "commitment.grant": "agreed a commitment with {account}",
    "commitment.draw": "drew on a commitment of {account}",
    "sku.set_rate": "set a rate of {after.rate} {after.currency} an hour from {after.from} on",
    "price.save": "set a price for {account}",
    "offer.save": "wrote the offer {after.code}",
    "offer.publish": "published the offer {after.code}",
    "offer.rename": "renamed an offer from {before.display_name} to {after.display_name}",
    "meter.define": "defined the meter {after.name}",
    "meter.add_dimensions": "added dimensions to the meter {after.name}",
    "meter.published": "published the meter {after.name}",
    "meter.deprecated": "deprecated the meter {after.name}",
    "meter.retired": "retired the meter {after.name}",
    "catalog.draft": "began the catalog {after.catalog}",
    "catalog.edit": "changed the draft of the catalog {after.catalog}",
    "catalog.discard": "discarded the draft of the catalog {after.catalog}",
    "catalog.end_alarm": "ended the alarm about a catalog that was refused",
    "catalog.published": "published the catalog, number {after.number}",
}


def say() -> None:
    """Called once, when the room is ready."""
    for kind, texts in (("usage", _USAGE), ("plan", _PLAN)):
        register({action: Words(kind, text) for action, text in texts.items()})
    register_subject("allocation", _allocations)


def _allocations(keys: Collection[int]) -> Mapping[int, Named]:
    return {
        row.pk: (f"{row.sku.name} {row.public_id}", reverse("admin:quotas_allocation_change", args=[row.pk]))
        for row in Allocation.objects.filter(pk__in=keys).select_related("sku")
    }
