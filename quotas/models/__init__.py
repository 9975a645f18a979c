from quotas.models.allocations import Allocation, AllocationQuantity, AllocationStatus
from quotas.models.catalog import Sku, SkuRate

__all__ = ["Allocation", "AllocationQuantity", "AllocationStatus", "Sku", "SkuRate"]
