"""Topic → handlers: the only file that knows both ends. A handler takes the message and `at=`.

The pull feed reads every message from the outbox itself, so a topic with no handler here still has its readers.
"""

from django.conf import settings

from accounts import topics as accounts_topics
from ledger import topics as ledger_topics
from payments import topics as payments_topics
from quotas import topics as quotas_topics

Routes = dict[str, tuple[str, ...]]

_ALWAYS: Routes = {
    accounts_topics.APPROVAL_REQUESTED: ("accounts.notifications.tell_approvers",),
    accounts_topics.APPROVAL_DECIDED: (),
    accounts_topics.ACCOUNT_SUSPENDED: (),
    accounts_topics.ACCOUNT_REACTIVATED: (),
    accounts_topics.ACCOUNT_ARCHIVED: (),
    accounts_topics.ACCOUNT_DELETED: (),
    accounts_topics.ORGANIZATION_CLOSED: (),
    quotas_topics.ALLOCATION_STARTED: (),
    quotas_topics.ALLOCATION_RESIZED: (),
    quotas_topics.ALLOCATION_RELEASED: (),
    quotas_topics.RELEASE_REPORTED_LATE: ("ledger.late_releases.credit_overrun",),
    quotas_topics.CATALOG_PUBLISHED: (),
    quotas_topics.CATALOG_REFUSED: ("accounts.notifications.tell_of_refused_catalog",),
    quotas_topics.QUOTA_ALERT: (),
    quotas_topics.OFFER_PUBLISHED: (),
    quotas_topics.OFFER_ASSIGNED: (),
    quotas_topics.SUBSCRIPTION_CHANGED: (),
    quotas_topics.QUOTA_CHANGED: (),
    quotas_topics.ENFORCEMENT_CHANGED: (),
    ledger_topics.ACCOUNT_PARKED: ("accounts.notifications.tell_operators",),
    ledger_topics.ACCOUNT_UNPARKED: (),
    ledger_topics.LOW_BALANCE_WARNING: ("accounts.notifications.tell_customer",),
    ledger_topics.AUTO_RELEASE_PENDING: ("accounts.notifications.tell_customer",),
    ledger_topics.BALANCE_DEPLETED: ("accounts.notifications.tell_customer",),
    ledger_topics.FORCE_RELEASE_REQUESTED: (),
    payments_topics.BALANCE_CREDITED: ("accounts.notifications.tell_customer",),
}

_ORGANIZATION = ("quotas.kubernetes.rings.organization_changed",)
_FOR_THE_CLUSTER: Routes = {
    quotas_topics.CATALOG_PUBLISHED: ("quotas.kubernetes.rings.catalog_published",),
    quotas_topics.SUBSCRIPTION_CHANGED: _ORGANIZATION,
    quotas_topics.QUOTA_CHANGED: _ORGANIZATION,
    quotas_topics.ENFORCEMENT_CHANGED: _ORGANIZATION,
}
WITH_A_CLUSTER = {topic: handlers + _FOR_THE_CLUSTER.get(topic, ()) for topic, handlers in _ALWAYS.items()}

# A publication changes limits of thousands: without a cluster nobody has to be told one by one.
ROUTES = WITH_A_CLUSTER if settings.KUBECONFIG_PATH else _ALWAYS
