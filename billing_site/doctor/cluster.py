"""Whether the cluster says what our rows say."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from billing_site.back_office.spans import span
from billing_site.doctor.findings import Finding, fault, good, warning
from quotas.models import ClusterSync

LATE_SECONDS = 600
NAMED = 5


def cluster(at: datetime) -> Iterator[Finding]:
    if not settings.KUBECONFIG_PATH:
        yield good("cluster", "none: KUBECONFIG_PATH is not set")
        return
    rows = ClusterSync.objects.select_related("organization").order_by("next_attempt_at", "pk")
    failing = rows.exclude(last_error="")
    late = [row for row in rows.exclude(next_attempt_at=None)[:1] if _seconds(row, at) > LATE_SECONDS]
    if failing.exists():
        what = f"{failing.count()} cannot be written: {_listed(list(failing[: NAMED + 1]), 'last_error')}"
        yield fault("cluster", what, "Mend what the error names; they are tried again every five minutes at most.")
    elif late:
        todo = "Does the worker run? It writes every 5 s."
        yield fault("cluster", f"{late[0]} waits to be written since {span(_seconds(late[0], at))}", todo)
    else:
        yield good("cluster", f"{rows.filter(next_attempt_at=None).count()} stand as they should")
    refused = rows.exclude(refused="")
    if refused.exists():
        what = f"{refused.count()} instructions were not followed: {_listed(list(refused[: NAMED + 1]), 'refused')}"
        yield warning("cluster", what, "Correct the annotation or the ConfigMap, or change the subscription here.")
    others = rows.filter(~Q(left_alone=[]))
    if others.exists():
        what = f"{others.count()} keep objects of their own: {_listed(list(others[: NAMED + 1]), 'left_alone')}"
        todo = "That is their right; label one billing.kube-dc.com/auto-managed=true to have it written again."
        yield warning("cluster", what, todo)


def _seconds(row: ClusterSync, at: datetime) -> float:
    return (at - row.next_attempt_at).total_seconds() if row.next_attempt_at else 0.0


def _listed(rows: list[ClusterSync], field: str) -> str:
    named = [f"{row.organization.public_id if row.organization else 'catalog'} ({_said(row, field)})" for row in rows]
    return ", ".join(named[:NAMED]) + (" …" if len(named) > NAMED else "")


def _said(row: ClusterSync, field: str) -> str:
    value = getattr(row, field)
    words = ", ".join(value) if isinstance(value, list) else str(value)
    return " ".join(words.split())[:200]
