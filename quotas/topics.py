"""Topics this room emits."""

ALLOCATION_STARTED = "quotas.allocation_started"
ALLOCATION_RESIZED = "quotas.allocation_resized"
ALLOCATION_RELEASED = "quotas.allocation_released"
RELEASE_REPORTED_LATE = "quotas.release_reported_late"

TOPICS = frozenset({ALLOCATION_STARTED, ALLOCATION_RESIZED, ALLOCATION_RELEASED, RELEASE_REPORTED_LATE})
