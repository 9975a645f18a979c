"""Refusals of this room."""

from accounts.errors import Conflict, DomainError


class QuantityInvalid(DomainError):
    code = "quantity_invalid"
    field = "quantity"


class RateInvalid(DomainError):
    code = "rate_invalid"
    field = "rate_per_unit_hour"


class NoRate(Conflict):
    code = "no_rate"
    field = "sku"


class NotBound(Conflict):
    code = "not_bound"
    field = "project"


class WrongStatus(Conflict):
    code = "wrong_status"
    field = "allocation"


class ReleaseBeforeStart(DomainError):
    code = "release_before_start"
    field = "completed_at"


class AlreadyBilled(Conflict):
    code = "already_billed"
    field = "at"


class PeriodInvalid(DomainError):
    code = "period_invalid"


class NoCatalog(Conflict):
    code = "no_catalog"
    field = "catalog"


class UnknownItem(DomainError):
    """A plan or an add-on that the catalog in force does not list."""

    code = "unknown_item"
    status = 404


class NoPrice(Conflict):
    code = "no_price"
    field = "currency"


class MeterInvalid(DomainError):
    code = "meter_invalid"


class SegmentInvalid(DomainError):
    code = "segment_invalid"


class OfferInvalid(DomainError):
    code = "offer_invalid"


class DiscountInvalid(DomainError):
    code = "discount_invalid"


class CommitmentInvalid(DomainError):
    code = "commitment_invalid"
