"""docs/catalog.md: its document is accepted as it stands, and its worked figures are what the code answers."""

import re
from pathlib import Path

import pytest

from quotas.catalog.document import parse, parse_text, unknown_keys
from quotas.what_if import WhatIf, what_if
from tests.quotas.plans import catalog_document

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "catalog.md").read_text()
OVERHEAD = {"cpuPerProject": "100m", "memPerProject": "128Mi"}


def test_the_document_of_the_page_is_accepted() -> None:
    (text,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    catalog = parse_text(text)
    assert list(unknown_keys(catalog)) == []
    assert (catalog.plans["pro-pool"].trial_days, catalog.eip_quota) == (14, {"pro-pool": 1})


def answered(row: str) -> WhatIf:
    plain, overhead = (parse(document) for document in (catalog_document(), catalog_document(systemOverhead=OVERHEAD)))
    if row.startswith("pro-pool"):
        return what_if(plain, "pro-pool", {"turbo-x1": 1}, projects_limit=50)
    if row.startswith("the same"):
        return what_if(overhead, "pro-pool", {"turbo-x1": 1}, projects_limit=3)
    if row.startswith("scale-pool"):
        return what_if(plain, "scale-pool", {"turbo-x1": 3, "turbo-x2": 2}, projects_limit=50)
    return what_if(overhead, "pro-pool", {"turbo-x1": 1}, status="suspended", projects_limit=50)


@pytest.mark.parametrize("row", re.findall(r"^\| ((?:pro-pool|the same|scale-pool|suspended) ?.*?) \|$", PAGE, re.M))
def test_a_worked_row_is_what_the_code_answers(row: str) -> None:
    name, cpu, memory, storage, price = (cell.strip() for cell in row.split("|"))
    found = answered(name)
    hard = found.quota.hard()
    assert (hard["requests.cpu"], hard["requests.memory"], hard["requests.storage"]) == (cpu, memory, storage)
    assert price in ("–", f"{found.price.amount_minor // 100} EUR")


def test_every_row_was_found() -> None:
    assert len(re.findall(r"^\| (?:pro-pool|the same|scale-pool|suspended)\b", PAGE, re.M)) == 4
