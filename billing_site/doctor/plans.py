"""Whether plans do what they say: limits are computed in time, subscriptions move when they are due."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from billing_site import figures
from billing_site.back_office.spans import span
from billing_site.doctor.findings import Finding, fault, good

LIMITS_WITHIN = timedelta(minutes=5)
MOVED_WITHIN = timedelta(minutes=10)


def plans(at: datetime) -> Iterator[Finding]:
    late = figures.plans(at)
    if late.limits_due_seconds > LIMITS_WITHIN.total_seconds():
        todo = "The worker computes them every 5 seconds. Does it run? Its log names what fails."
        yield fault("plans", f"limits wait to be computed since {span(late.limits_due_seconds)}", todo)
    else:
        yield good("plans", "limits follow what is held")
    if late.subscriptions_due_seconds > MOVED_WITHIN.total_seconds():
        todo = "The worker moves them every minute. Does it run? Its log names what fails (subscription_did_not_move)."
        yield fault("plans", f"a subscription is due since {span(late.subscriptions_due_seconds)}", todo)
    else:
        yield good("plans", "every subscription has moved when it was due")


def catalog() -> Iterator[Finding]:
    refused = figures.refused_catalogs()
    if refused:
        what = (
            f"refused, from {', '.join(refused[:5])}{' …' if len(refused) > 5 else ''}; the last good one is in force"
        )
        yield fault(
            "catalog", what, "Catalog, Refused catalogs in the back office names every fault; import a good one."
        )
    else:
        yield good("catalog", "the newest document of every source was accepted")
