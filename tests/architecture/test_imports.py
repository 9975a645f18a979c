"""Imports point left and only one folder knows Stripe; the contracts are shown to bite."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("accounts", "quotas", "ledger", "payments", "billing_site")
SHAPELESS_NAMES = {"services.py", "utils.py", "util.py", "helpers.py", "common.py", "misc.py", "base.py"}


def sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_contract_is_kept() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("accounts/clock.py", "import ledger.chart", "Imports point left"),
        ("quotas/price_book.py", "from payments import models", "Imports point left"),
        ("ledger/posting.py", "from billing_site import roles", "Imports point left"),
        ("accounts/clock.py", "def late() -> None:\n    import quotas.models", "Imports point left"),
        ("payments/bank_transfers.py", "import stripe", "Only payments.providers.stripe knows Stripe"),
        ("billing_site/health.py", "from djstripe import models", "Only payments.providers.stripe knows Stripe"),
        ("ledger/balances.py", "from quotas.models import Sku", "The pure book sees only accounts"),
        ("ledger/chart.py", "from ledger.models import UsageRecord", "The pure book sees only accounts"),
    ],
)
def test_a_wrong_import_breaks_its_contract(tmp_path: Path, file: str, line: str, contract: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for source in sources():
        copy = tmp_path / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    assert lint_imports(tmp_path).returncode == 0
    with (tmp_path / file).open("a") as planted:
        planted.write(f"\n{line}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    broken = [row for row in result.stdout.splitlines() if " BROKEN" in row]
    assert any(row.startswith(contract) for row in broken), result.stdout


def test_no_import_hides_in_a_function() -> None:
    """Only `AppConfig.ready` may import late: models exist from then on."""
    hidden = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources()
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and (path.name, function.name) != ("apps.py", "ready")
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path.relative_to(ROOT)) for path in sources() if path.name in SHAPELESS_NAMES] == []


def test_no_room_knows_the_tests() -> None:
    knowing = [
        str(path.relative_to(ROOT))
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tests")
        or (isinstance(node, ast.Import) and any(name.name.split(".")[0] == "tests" for name in node.names))
    ]
    assert knowing == []
