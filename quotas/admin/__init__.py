"""Doors of the back office: what is sold, at which rates, and who holds it."""

from quotas.admin import allocations, catalog, limits, subscriptions

__all__ = ["allocations", "catalog", "limits", "subscriptions"]
