"""The GPU cluster trace billed to the cent, and what the command says about a file it cannot read."""

import io
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organization
from billing_site.trace import BEGINNING, GPU, VCPU, TraceFault, read_trace
from ledger.balances import balances
from ledger.models import UsageRecord
from ledger.verification import verify
from quotas.models import Allocation
from tests.cast import NOON

CHECKOUT = Path(__file__).resolve().parents[2]
TRACE = CHECKOUT.parent / "shared" / "data" / "gpu_cluster_trace.csv"
HEADER = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time"
NO_NUMBER = "is missing or not a plain number of zero or more"
ROW = "pod,12000,16384,1,500,,LS,Running,0,7200,0"

with_trace = pytest.mark.skipif(not TRACE.exists(), reason=f"the trace is not at {TRACE}")


def replay(file: Path, **options: Any) -> dict[str, Any]:
    out = io.StringIO()
    call_command("replay_trace", file, stdout=out, **options)
    result: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return result


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Writes a trace of some rows."""

    def write(*rows: str, header: str = HEADER) -> Path:
        file = tmp_path / "trace.csv"
        file.write_text("\n".join([header, *rows]) + "\n")
        return file

    return write


def billed_by_the_books() -> int:
    accounts = [account for org in Organization.objects.all() for account in org.billing_accounts.all()]
    return -sum(held.amount_minor for held in balances(accounts).values())


@pytest.mark.long
@with_trace
def test_the_trace_costs_133_005_dollars_and_30_cents(committed_db: str) -> None:
    result = replay(TRACE, window_seconds=3600)
    assert result["total_minor"] == 13_300_530
    assert (result["allocations"], result["released"], result["skipped"], result["refused"]) == (7255, 7255, 897, 0)
    assert result["windows"] == UsageRecord.objects.count() == 65_614
    assert result["waived_minor"] == 0
    assert billed_by_the_books() == 13_300_530
    assert verify(NOON, full=True).violations == []
    print(f"\nreplay at 3600 s: {result}")


@pytest.mark.proof
@with_trace
def test_the_whole_trace_by_the_minute_costs_the_same(committed_db: str) -> None:
    result = replay(TRACE, window_seconds=60)
    assert result["total_minor"] == 13_300_530
    assert result["windows"] == UsageRecord.objects.count()
    assert 3_500_000 < result["windows"] < 3_520_000
    assert verify(NOON, full=True).violations == []
    print(f"\nreplay at 60 s: {result}")


def test_a_workload_that_ends_as_it_starts_costs_nothing_and_is_over(committed_db: str, written: Any) -> None:
    result = replay(written(ROW, ROW.replace("pod", "brief").replace("7200,0", "60,60")), accounts=1)
    assert (result["allocations"], result["released"], result["total_minor"]) == (2, 2, 250)
    assert not Allocation.objects.exclude(status="released").exists()


@pytest.mark.parametrize("settlement", ["prepaid", "postpaid"])
def test_a_workload_is_an_allocation_from_its_schedule_to_its_deletion(
    committed_db: str, written: Any, settlement: str
) -> None:
    rows = [
        ROW,  # half a GPU for two hours: 2.50
        "cpu,2500,16384,0,0,,LS,Running,0,9000,1800",  # 2.5 vCPU for two hours: 0.20
        "never,1000,1,1,1000,,LS,Pending,0,100,",
    ]
    result = replay(written(*rows), accounts=2, settlement=settlement, top_up=1000, gpu_hour="2.50", cpu_hour="0.04")
    assert (result["allocations"], result["skipped"], result["total_minor"]) == (2, 1, 250 + 20)
    held = Allocation.objects.order_by("started_at")
    assert [(str(one.quantities.get().quantity), one.sku.unit) for one in held] == [
        ("0.500000", GPU),
        ("2.500000", VCPU),
    ]
    assert verify(NOON, full=True).violations == []


def test_prices_are_read_as_decimals(committed_db: str, written: Any) -> None:
    assert replay(written(ROW), gpu_hour="0.1", accounts=1)["total_minor"] == 10


def test_a_trace_is_read_row_by_row(written: Any) -> None:
    workload = next(read_trace(written(ROW)))
    assert (workload.index, workload.name, workload.sku, str(workload.quantity)) == (0, "pod", GPU, "0.5")


def test_a_moment_of_a_trace_keeps_its_fraction(written: Any) -> None:
    workload = next(read_trace(written(ROW.replace("7200,0", "7200.25,0"))))
    assert workload.ends_at == BEGINNING + timedelta(seconds=7200, milliseconds=250)


@pytest.mark.parametrize(
    ("header", "row", "fault"),
    [
        (HEADER.replace(",num_gpu", ",gpus"), ROW, "the column num_gpu is missing"),
        (HEADER.replace("name,", "title,"), ROW, "the column name is missing"),
        ("", "", "the column name is missing"),
        (HEADER, ROW.replace(",1,500", ",many,500"), f"line 2: num_gpu {NO_NUMBER}"),
        (HEADER, ROW.replace(",1,500", ",-1,500"), f"line 2: num_gpu {NO_NUMBER}"),
        (HEADER, ROW.replace("500", "NaN"), f"line 2: gpu_milli {NO_NUMBER}"),
        (HEADER, ROW.replace("7200", "Infinity"), f"line 2: deletion_time {NO_NUMBER}"),
        (HEADER, ROW.replace("7200", "1e3"), f"line 2: deletion_time {NO_NUMBER}"),
        (HEADER, ROW.replace("500", "1_000"), f"line 2: gpu_milli {NO_NUMBER}"),
        (HEADER, ROW.replace("12000,16384,1", "１２,16384,0"), f"line 2: cpu_milli {NO_NUMBER}"),
        (HEADER, ROW.replace("7200", "999999999999999"), "line 2: deletion_time is out of range"),
        (HEADER, ROW.replace("7200", "253402300800"), "line 2: deletion_time is out of range"),
        (HEADER, ROW.replace("7200", "6000000000"), "line 2: deletion_time is out of range"),
        (HEADER, ROW.replace("7200,0", "7200,7201"), "line 2: deletion_time is before scheduled_time"),
        (HEADER, "pod,12000", f"line 2: num_gpu {NO_NUMBER}"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(written: Any, header: str, row: str, fault: str) -> None:
    with pytest.raises(TraceFault) as caught:
        list(read_trace(written(row, header=header)))
    assert str(caught.value).endswith(fault)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"accounts": 0}, "--accounts must be 1 or more"),
        ({"limit": -1}, "--limit must be 0 or more"),
        ({"currency": "XXX"}, "currency_unknown"),
        ({"gpu_hour": "2,50"}, "rate_invalid"),
        ({"gpu_hour": "0.12345678901234567890"}, "rate_invalid"),
        ({"window_seconds": 0}, "policy_invalid"),
    ],
)
def test_wrong_terms_are_refused_by_their_code_and_leave_nothing(
    committed_db: str, written: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        replay(written(ROW), **options)
    assert Organization.objects.count() == 0


def test_a_bad_file_leaves_nothing(committed_db: str, written: Any) -> None:
    with pytest.raises(CommandError, match="line 3"):
        replay(written(ROW, ROW.replace("7200", "soon")))
    assert Organization.objects.count() == 0


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00binary"])
def test_at_the_prompt_a_bad_file_is_one_sentence_and_an_exit_code(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "trace.csv"
    if content is not None:
        file.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "manage.py", "replay_trace", str(file)],
        cwd=CHECKOUT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(file) in done.stderr
