"""A book with something on every page: used by the tests of the back office."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import Group
from django.db.models import Model
from django.urls import reverse

from accounts import api_keys, approvals, memberships
from accounts.abilities import READ_BILLING
from accounts.audit import person
from accounts.clock import now
from accounts.models import (
    ApiKey,
    ApprovalRequest,
    AuditLog,
    BillingAccount,
    BillingAccountBinding,
    LegalEntity,
    Membership,
    Organization,
    OutboxDelivery,
    OutboxMessage,
    PolicyValue,
    Project,
    ProviderSwitch,
    TrustedIssuer,
    User,
)
from accounts.policy import set_value
from ledger import accrual, adjustments
from ledger.models import AccrualSchedule, LedgerAccount, LedgerEntry, LedgerTransaction, UsageRecord, VerificationRun
from payments import bank_transfers
from payments.models import BankTransfer
from quotas.allocations import start
from quotas.catalog.document import parse
from quotas.catalog.faults import CatalogInvalid, Fault
from quotas.catalog_drafts import open_draft
from quotas.catalog_refusals import raise_alarm
from quotas.models import (
    AccountCommitment,
    AccountDiscount,
    Allocation,
    BillingEntitlement,
    CatalogItem,
    CatalogRefusal,
    CatalogVersion,
    ClusterSync,
    CustomerSegment,
    Limit,
    Meter,
    Offer,
    SegmentMembership,
    ServicePrice,
    Sku,
    SkuRate,
    Subscription,
    WorkloadScale,
)
from quotas.project_quotas import set_project_quota
from quotas.subscriptions import assign_plan
from quotas.usage_report import report
from tests.cast import ACTOR, NOON, Cast
from tests.quotas.offer_scene import set_price_book
from tests.quotas.plans import catalog_document, publish

_MODELS: dict[str, type[Model]] = {
    f"{model._meta.app_label}_{model._meta.model_name}": model
    for model in (
        *(ApprovalRequest, AuditLog, BillingAccount, BillingAccountBinding, LegalEntity, Membership, Organization),
        *(
            OutboxDelivery,
            OutboxMessage,
            PolicyValue,
            Project,
            ProviderSwitch,
            User,
            Group,
            AccrualSchedule,
            LedgerAccount,
        ),
        *(LedgerEntry, LedgerTransaction, UsageRecord, VerificationRun, BankTransfer, Allocation, Sku, SkuRate),
        *(ClusterSync, WorkloadScale, Subscription, Limit, ProviderSwitch),
        *(Meter, ServicePrice, Offer, BillingEntitlement, CustomerSegment, SegmentMembership),
        *(AccountDiscount, AccountCommitment),
        *(ApiKey, TrustedIssuer),
        *(CatalogItem, CatalogRefusal, CatalogVersion),
    )
}


# Pages whose address names a row.
_OF_ONE_ROW = {
    *("change", "delete", "history", "access", "correct", "decide"),
    *("activity", "bind", "rebind", "close", "remove"),
    *("terms", "timezone", "contact", "emails", "address", "taxids"),
    *("project", "account", "grantfeature", "revokefeature"),
    *("member", "apikey", "issuer", "role", "letin", "letout", "rotate", "revoke", "rotateany", "revokeany"),
    *("cancel", "keep", "overdue", "paid", "resubscribe"),
    *(
        "publish",
        "end",
        "discard",
        "download",
        "edit",
        "arrange",
        "plan",
        "addplan",
        "addon",
        "addaddon",
        "section",
        "remove",
    ),
    *("suspend", "reactivate", "archive", "resize", "release", "complete", "retry", "replay"),
    *("extend", "advance", "publish", "rename", "withdraw", "draw"),
}


@dataclass
class Scene:
    """Knows an address for every name of a page."""

    transfer: int  # the transaction that recorded 50.00 USD for the prepaid account
    waiting: ApprovalRequest

    def address(self, name: str) -> str:
        if name == "view_on_site":
            return "/admin/r/1/1/"
        if name in ("quotas_limit_setquota", "quotas_limit_removequota"):
            return reverse(f"admin:{name}", args=[Limit.objects.get(kind="project_quota").project_id])
        if name == "quotas_limit_of":
            return reverse(f"admin:{name}", args=[Subscription.objects.get().organization_id])
        if name == "app_list":
            return "/admin/accounts/"
        model, _, page = name.rpartition("_")
        if model.endswith("_simple"):
            model, page = model.removesuffix("_simple"), "simple_history"
        if model.endswith("_delete"):
            return reverse(f"admin:{name}", args=[1])
        if page == "simple_history":
            row = _MODELS[model]._default_manager.filter(pk__in=_versions(model)).first()
            assert row is not None
            version = row.history.first()  # type: ignore[attr-defined]
            return reverse(f"admin:{name}", args=[row.pk, version.pk])
        if model in _MODELS and page in _OF_ONE_ROW:
            row = _MODELS[model]._default_manager.order_by("pk").first()
            assert row is not None, f"the scene has no {model}"
            return reverse(f"admin:{name}", args=[row.pk])
        return reverse(f"admin:{name}")


def set_scene(cast: Cast) -> Scene:
    """A transfer, an adjustment, usage, a request that waits, a policy, a run of verification."""
    transfer = bank_transfers.payload(
        cast.prepaid, amount_minor=5000, currency="USD", value_date=NOON.date(), reference="STMT-1"
    )
    recorded = bank_transfers.record_transfer(transfer, actor=person(cast.dana), reason="statement 1", at=NOON)
    proposal = adjustments.payload(cast.prepaid, -250, "USD")
    adjustments.adjust(proposal, actor=person(cast.dana), reason="a mistake of ours", at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + timedelta(minutes=10))
    large = adjustments.payload(cast.prepaid, 50_000, "USD")
    outcome = approvals.submit(adjustments.ACT, large, maker=cast.dana, reason="goodwill", at=now())
    assert outcome.request is not None
    set_value(
        "quotas.projects_limit",
        20,
        scope="tenant",
        scope_id=cast.acme.pk,
        actor=ACTOR,
        reason="a small customer",
        at=NOON,
    )
    open_draft(parse(catalog_document()), source="plans.yaml", actor=ACTOR, at=NOON)  # the first row: acts are about it
    publish(at=NOON)
    assign_plan(
        cast.acme, "pro-pool", {"turbo-x1": 2}, account=cast.postpaid, actor=ACTOR, reason="ordered by mail", at=NOON
    )
    set_project_quota(cast.project, {"cpu": "4", "memory": "16Gi"}, actor=ACTOR, reason="room for serving", at=NOON)
    report(cast.acme, {"cpu": "10", "memory": "26Gi", "pods": None}, reported_at=NOON, at=NOON)
    set_price_book(cast, now())
    raise_alarm("plans.yaml", CatalogInvalid([Fault("eipQuota", "is required")]), at=NOON)
    ClusterSync.objects.create(
        organization=cast.acme,
        next_attempt_at=NOON,
        attempts=3,
        last_error="PUT /api/v1/namespaces/acme/limitranges/default-resource-limits: 403 forbidden",
        left_alone=["LimitRange acme/default-resource-limits"],
    )
    WorkloadScale.objects.create(
        organization=cast.acme, namespace="acme", kind="Deployment", name="web", replicas=3, scaled_at=NOON
    )
    ProviderSwitch.objects.create(
        provider="manual", replaced="none", reason="transfers are taken again", switched_by=cast.erin, switched_at=NOON
    )
    api_keys.create(cast.acme.pk, "console", [READ_BILLING], actor=ACTOR, at=now())
    bob = Membership.objects.get(user=cast.bob)
    memberships.let_in(bob.pk, cast.project.pk, actor=ACTOR, at=NOON)
    TrustedIssuer.objects.create(
        issuer="https://id.example",
        jwks_uri="https://id.example/keys",
        audience="countinghouse",
        algorithms=["RS256"],
        created_at=NOON,
    )
    VerificationRun.objects.create(
        started_at=NOON, finished_at=NOON, full=False, watermark=1, violations=[], violation_count=0
    )
    return Scene(int(recorded["transaction"]), outcome.request)


def _versions(model: str) -> list[int]:
    history = _MODELS[model].history.model  # type: ignore[attr-defined]
    return list(history.objects.values_list("id", flat=True)[:1])
