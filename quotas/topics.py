"""Topics this room emits."""

ALLOCATION_STARTED = "quotas.allocation_started"
ALLOCATION_RESIZED = "quotas.allocation_resized"
ALLOCATION_RELEASED = "quotas.allocation_released"
RELEASE_REPORTED_LATE = "quotas.release_reported_late"
CATALOG_PUBLISHED = "quotas.catalog_published"
CATALOG_REFUSED = "quotas.catalog_refused"
SUBSCRIPTION_CHANGED = "quotas.subscription_changed"
QUOTA_CHANGED = "quotas.quota_changed"
QUOTA_ALERT = "quotas.quota_alert"
OFFER_PUBLISHED = "quotas.offer_published"
OFFER_ASSIGNED = "quotas.offer_assigned"
ENFORCEMENT_CHANGED = "quotas.enforcement_changed"

TOPICS = frozenset(
    {
        ALLOCATION_STARTED,
        ALLOCATION_RESIZED,
        ALLOCATION_RELEASED,
        RELEASE_REPORTED_LATE,
        CATALOG_PUBLISHED,
        CATALOG_REFUSED,
        SUBSCRIPTION_CHANGED,
        QUOTA_CHANGED,
        QUOTA_ALERT,
        OFFER_PUBLISHED,
        OFFER_ASSIGNED,
        ENFORCEMENT_CHANGED,
    }
)
