from quotas.models.allocations import Allocation, AllocationQuantity, AllocationStatus
from quotas.models.catalog import Sku, SkuRate
from quotas.models.catalog_refusals import CatalogRefusal
from quotas.models.limits import ExternalIp, Limit, LimitKind, LimitsDue, NetworkType, ReportedUsage
from quotas.models.plans import (
    CatalogItem,
    CatalogItemVersion,
    CatalogLine,
    CatalogPrice,
    CatalogState,
    CatalogVersion,
    ItemKind,
)
from quotas.models.subscriptions import Biller, Subscription, SubscriptionItem, SubscriptionStatus

__all__ = [
    "Allocation",
    "AllocationQuantity",
    "AllocationStatus",
    "Biller",
    "CatalogItem",
    "CatalogItemVersion",
    "CatalogLine",
    "CatalogPrice",
    "CatalogRefusal",
    "CatalogState",
    "CatalogVersion",
    "ExternalIp",
    "ItemKind",
    "Limit",
    "LimitKind",
    "LimitsDue",
    "NetworkType",
    "ReportedUsage",
    "Sku",
    "SkuRate",
    "Subscription",
    "SubscriptionItem",
    "SubscriptionStatus",
]
