"""What our rows say should stand in the cluster for an organization."""

from dataclasses import dataclass

from accounts import enforcement
from accounts.models import Level, Organization
from quotas.catalog.terms import Plan
from quotas.catalog_in_force import terms_of
from quotas.kubernetes.annotations import Standing
from quotas.kubernetes.manifests import PLACES, LimitFacts, Place, namespace_of
from quotas.models import ItemKind, Limit, Subscription
from quotas.subscription_items import open_items


@dataclass(frozen=True)
class Wanted:
    """Nothing, unless said otherwise. `stopped`: workloads are scaled to zero."""

    limits: tuple[LimitFacts, ...] = ()
    left_to_others: tuple[LimitFacts, ...] = ()
    standing: Standing | None = None
    stopped: bool = False

    def limit_at(self, place: Place, namespace: str) -> LimitFacts | None:
        return _at(self.limits, place, namespace)

    def is_left(self, place: Place, namespace: str) -> bool:
        """Whether our own row says that somebody else keeps that object."""
        return _at(self.left_to_others, place, namespace) is not None


def wanted_of(organization: Organization) -> Wanted:
    """Limits, annotations and level, as they are in our rows now."""
    rows = Limit.objects.filter(organization=organization, kind__in=PLACES).select_related("project").order_by("pk")
    ours, others = ([_facts(organization, row) for row in rows if row.auto_managed == kept] for kept in (True, False))
    subscription = Subscription.objects.filter(organization=organization).first()
    if subscription is None:
        return Wanted(tuple(ours), tuple(others))
    payers = {organization.pk: subscription.billing_account_id}
    halted = enforcement.levels_of_organizations(payers)[organization.pk] == Level.HALTED
    return Wanted(tuple(ours), tuple(others), standing_of(subscription), stopped=halted)


def standing_of(subscription: Subscription) -> Standing | None:
    """What it holds; None where it holds no plan."""
    items = open_items(subscription)
    plan = next((row for row in items if row.kind == ItemKind.PLAN), None)
    if plan is None:
        return None
    terms = terms_of(plan.version, ItemKind.PLAN)
    return Standing(
        subscription.status,
        plan.item.code,
        terms.display_name if isinstance(terms, Plan) else "",
        tuple((row.item.code, row.quantity) for row in items if row.kind == ItemKind.ADD_ON),
        subscription.suspended_at,
    )


def _facts(organization: Organization, row: Limit) -> LimitFacts:
    namespace = namespace_of(organization.slug, row.project.slug if row.project else None)
    return LimitFacts(row.kind, namespace, row.values, row.plan_code)


def _at(limits: tuple[LimitFacts, ...], place: Place, namespace: str) -> LimitFacts | None:
    here = (limit for limit in limits if PLACES[limit.kind] == place and limit.namespace == namespace)
    return next(here, None)
