"""Doors of the back office: what is sold, at which rates, and who holds it."""

from quotas.admin import (
    account_commitments,
    allocations,
    catalog,
    catalog_items,
    catalog_refusals,
    catalog_versions,
    cluster,
    customer_segments,
    entitlements,
    limits,
    meters,
    offers,
    price_grants,
    service_prices,
    subscriptions,
)

__all__ = [
    "account_commitments",
    "allocations",
    "catalog",
    "catalog_items",
    "catalog_refusals",
    "catalog_versions",
    "cluster",
    "customer_segments",
    "entitlements",
    "limits",
    "meters",
    "offers",
    "price_grants",
    "service_prices",
    "subscriptions",
]
