"""Workers at the cluster's queue at once: each row is called for once, whoever takes it."""

from collections import Counter
from datetime import datetime

from accounts.lifecycle import open_organization
from quotas.kubernetes import queue
from quotas.kubernetes.queue import Outcome
from quotas.models import ClusterSync
from tests.cast import NOON, Cast
from tests.concurrency.racing import failures, race


def test_workers_share_what_is_due(committed_db: str, cast: Cast) -> None:
    organizations = [open_organization(f"O{n}", f"o{n}", owner=cast.alice, at=NOON).pk for n in range(20)]
    queue.mark(organizations, at=NOON)
    called: Counter[int | None] = Counter()

    def call(row: ClusterSync, at: datetime) -> Outcome:
        called[row.organization_id] += 1
        return Outcome()

    results = race(*[lambda: queue.work_off(call, lambda: NOON, limit=50)] * 3)
    assert failures(results) == []
    assert sum(results) == 20
    assert called == Counter(organizations)
    assert not ClusterSync.objects.filter(next_attempt_at__isnull=False).exists()


def test_wishes_for_the_same_organizations_meet_without_a_deadlock(committed_db: str, cast: Cast) -> None:
    organizations = [open_organization(f"O{n}", f"o{n}", owner=cast.alice, at=NOON).pk for n in range(50)]
    results = race(
        *[lambda: queue.mark(organizations, at=NOON)] * 3, *[lambda: queue.mark(organizations[::-1], at=NOON)] * 3
    )
    assert failures(results) == []
    assert set(ClusterSync.objects.values_list("generation", flat=True)) == {6}
