from quotas.models.allocations import Allocation, AllocationQuantity, AllocationStatus
from quotas.models.catalog import Sku, SkuRate
from quotas.models.catalog_refusals import CatalogRefusal
from quotas.models.cluster import ClusterCursor, ClusterSync, WorkloadScale
from quotas.models.customer_segments import CustomerSegment, SegmentMembership
from quotas.models.limits import ExternalIp, Limit, LimitKind, LimitsDue, NetworkType, ReportedUsage
from quotas.models.meters import Aggregation, Meter, MeterPhase
from quotas.models.offers import BillingEntitlement, ChargeType, LaunchStage, Offer, OfferPrice, ServicePrice
from quotas.models.plans import (
    CatalogItem,
    CatalogItemVersion,
    CatalogLine,
    CatalogPrice,
    CatalogState,
    CatalogVersion,
    ItemKind,
)
from quotas.models.price_grants import AccountCommitment, AccountDiscount, CommitmentDraw, DiscountUse
from quotas.models.subscriptions import Biller, Subscription, SubscriptionItem, SubscriptionStatus

__all__ = [
    "AccountCommitment",
    "AccountDiscount",
    "Aggregation",
    "Allocation",
    "AllocationQuantity",
    "AllocationStatus",
    "Biller",
    "BillingEntitlement",
    "CatalogItem",
    "CatalogItemVersion",
    "CatalogLine",
    "CatalogPrice",
    "CatalogRefusal",
    "CatalogState",
    "CatalogVersion",
    "ChargeType",
    "ClusterCursor",
    "ClusterSync",
    "CommitmentDraw",
    "CustomerSegment",
    "DiscountUse",
    "ExternalIp",
    "ItemKind",
    "LaunchStage",
    "Limit",
    "LimitKind",
    "LimitsDue",
    "Meter",
    "MeterPhase",
    "NetworkType",
    "Offer",
    "OfferPrice",
    "ReportedUsage",
    "SegmentMembership",
    "ServicePrice",
    "Sku",
    "SkuRate",
    "Subscription",
    "SubscriptionItem",
    "SubscriptionStatus",
    "WorkloadScale",
]
