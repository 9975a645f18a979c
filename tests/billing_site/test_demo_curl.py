"""The lines that the demo prints run as they are printed."""

import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.browser.conftest import site


@pytest.mark.skipif(shutil.which("curl") is None, reason="CURL IS ABSENT: the demo's lines were not run")
def test_the_printed_lines_run(
    committed_db: str, process_environment: dict[str, str], settings: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    settings.DEMO, settings.DEMO_DIRECTORY = True, tmp_path / "demo"
    serving = {**process_environment, "DEMO": "1", "DEMO_DIRECTORY": str(tmp_path / "demo")}
    with site(serving) as address:
        monkeypatch.setenv("PORT", address.rpartition(":")[2])
        printed = io.StringIO()
        call_command("demo", stdout=printed)
        lines = re.findall(r"  # (.*)\n  (curl .*)", printed.getvalue())
        answers = {shows: _run(line) for shows, line in lines}
    assert [status for status, _ in answers.values()] == [200, 200, 200, 200, 201, 200, 200, 403, 403]
    assert answers["who a key is"][1]["seats"][0]["role"] == ""
    assert answers["a console's question, by org-admin"][1]["success"] is True
    assert answers["a console's question, by guest"][1]["success"] is False
    assert answers["the feed, for the platform"][1]["next_after"] >= 0


def _run(line: str) -> tuple[int, Any]:
    shown = subprocess.run(["sh", "-c", f"{line} -w '\\n%{{http_code}}'"], capture_output=True, text=True, check=True)
    body, _, status = shown.stdout.rpartition("\n")
    return int(status), json.loads(body)
