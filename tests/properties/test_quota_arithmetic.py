"""The quota of a plan with add-ons, held to sums taken piece by piece in fractions."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Level
from quotas.catalog.document import parse
from quotas.limit_rows import Held, quota, rows
from quotas.models import LimitKind
from quotas.quota_arithmetic import Allowance, Resources, quota_of
from quotas.resource_quantities import parse as read
from tests.quotas.plans import catalog_document

reproducible = settings(derandomize=True, deadline=None, print_blob=True)
CATALOG = parse(catalog_document(systemOverhead={"cpuPerProject": "100m", "memPerProject": "128Mi"}))
PLAN = CATALOG.plans["scale-pool"]

cores = st.integers(0, 10**6).map(lambda milli: Decimal(milli) / 1000)
sizes = st.integers(0, 2**45).map(Decimal)
resources = st.builds(Resources, cores, sizes, sizes)
addons = st.lists(st.tuples(resources, st.integers(0, 40)), max_size=5)
ratios = st.integers(1, 400).map(lambda percent: Decimal(percent) / 100)
plans = st.builds(Allowance, resources, st.integers(0, 5000), st.integers(0, 500), ratios, sizes, st.integers(0, 9))
overheads = st.builds(Resources, cores, sizes, sizes)
limits = st.integers(0, 60)


def piece_by_piece(start: Decimal, adding: list[Decimal]) -> Fraction:
    """One unit after another, as an operator with an abacus would."""
    total = Fraction(start)
    for amount in adding:
        total += Fraction(amount)
    return total


@reproducible
@given(plans, addons, overheads, limits)
def test_it_is_the_sum_of_its_pieces(
    plan: Allowance, bought: list[tuple[Resources, int]], overhead: Resources, projects_limit: int
) -> None:
    found = quota_of(plan, bought, overhead=overhead, projects_limit=projects_limit)
    units = [one for one, count in bought for _ in range(count)]
    projects = [overhead] * projects_limit
    cpu = piece_by_piece(plan.resources.cpu, [one.cpu for one in [*units, *projects]])
    memory = piece_by_piece(plan.resources.memory, [one.memory for one in [*units, *projects]])
    storage = piece_by_piece(plan.resources.storage, [one.storage for one in units])
    assert tuple(map(Fraction, (found.requests.cpu, found.requests.memory, found.requests.storage))) == (
        cpu,
        memory,
        storage,
    )
    burst_cpu, burst_memory = (Fraction(amount) * Fraction(plan.burst_ratio) for amount in (cpu, memory))
    # Down to what a cluster holds: nano-cores, bytes.
    assert Fraction(found.limits_cpu) == Fraction(burst_cpu * 10**9 // 1, 10**9)
    assert Fraction(found.limits_memory) == burst_memory // 1
    assert (found.pods, found.load_balancers) == (plan.pods, plan.load_balancers)
    assert (found.object_storage_gb, found.external_ips) == (plan.object_storage_gb, plan.external_ips)


@reproducible
@given(plans, addons, addons, overheads, limits)
def test_what_add_ons_add_does_not_depend_on_what_is_held_beside_them(
    plan: Allowance,
    first: list[tuple[Resources, int]],
    second: list[tuple[Resources, int]],
    overhead: Resources,
    projects_limit: int,
) -> None:
    def requested(bought: list[tuple[Resources, int]]) -> Resources:
        return quota_of(plan, bought, overhead=overhead, projects_limit=projects_limit).requests

    both, one, other, none = requested([*first, *second]), requested(first), requested(second), requested([])
    assert both + none == one + other
    assert requested([*second, *first]) == both


@reproducible
@given(plans, addons, resources, st.integers(0, 40), overheads, limits)
def test_another_add_on_never_takes_anything_away(
    plan: Allowance,
    bought: list[tuple[Resources, int]],
    more: Resources,
    count: int,
    overhead: Resources,
    projects_limit: int,
) -> None:
    def asked(pieces: list[tuple[Resources, int]]) -> tuple[Decimal, ...]:
        found = quota_of(plan, pieces, overhead=overhead, projects_limit=projects_limit)
        wanted = found.requests
        return wanted.cpu, wanted.memory, wanted.storage, found.limits_cpu, found.limits_memory

    assert all(after >= before for before, after in zip(asked(bought), asked([*bought, (more, count)]), strict=True))


@reproducible
@given(plans, addons, overheads, limits)
def test_the_cluster_reads_back_what_is_written(
    plan: Allowance, bought: list[tuple[Resources, int]], overhead: Resources, projects_limit: int
) -> None:
    found = quota_of(plan, bought, overhead=overhead, projects_limit=projects_limit)
    hard = {name: read(text) for name, text in found.hard().items()}
    assert hard == {
        "requests.cpu": found.requests.cpu,
        "requests.memory": found.requests.memory,
        "requests.storage": found.requests.storage,
        "limits.cpu": found.limits_cpu,
        "limits.memory": found.limits_memory,
        "pods": plan.pods,
        "services.loadbalancers": plan.load_balancers,
    }


@reproducible
@given(
    st.lists(st.tuples(st.sampled_from(list(CATALOG.addons.values())), st.integers(1, 50)), max_size=4),
    st.integers(0, 1000),
    st.sampled_from([Level.RESTRICTED, Level.HALTED]),
    st.sampled_from([None, 0, 3]),
)
def test_who_is_held_back_has_the_suspended_plan_whatever_is_held(
    bought: list[tuple[object, int]], projects_limit: int, level: Level, addresses: int | None
) -> None:
    held = Held("scale-pool", PLAN, addresses, bought, projects_limit, level)  # type: ignore[arg-type]
    bare = Held("scale-pool", PLAN, addresses, (), 0, level)
    assert quota(held, CATALOG) == quota(bare, CATALOG)
    written = {row.kind: row.values for row in rows(held, CATALOG)}
    hard = written[LimitKind.HIERARCHICAL_RESOURCE_QUOTA]
    assert (hard["requests.cpu"], hard["requests.memory"], hard["pods"]) == ("500m", "1Gi", "10")
    assert (hard["limits.cpu"], hard["limits.memory"], hard["requests.storage"]) == ("500m", "1Gi", "0")
    assert written[LimitKind.OBJECT_STORAGE] == {"gigabytes": "0"}
    assert written.get(LimitKind.EXTERNAL_IPS) == (None if addresses is None else {"public": "0"})
