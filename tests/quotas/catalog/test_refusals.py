"""Catalog documents that are refused: whole, with every fault and its path, and nothing written."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from quotas.catalog.document import parse, parse_text
from quotas.catalog.faults import CatalogInvalid
from quotas.catalog_in_force import in_force
from quotas.models import CatalogRefusal
from tests.cast import Cast
from tests.quotas.plans import addon, catalog_document, plan, publish
from tests.row_counts import row_counts

LAUGHS = "a: &a [lol, lol]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a, *a, *a, *a, *a, *a]\n" for n in range(40))


def faults_of(document: str | bytes | dict[str, Any]) -> dict[str, str]:
    with pytest.raises(CatalogInvalid) as caught:
        parse(document) if isinstance(document, dict) else parse_text(document)
    return {fault.path: fault.reason for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("plans: {dev-pool: [", "line 1, column", "expected"),
        ("plans:\n\t- x", "line 2, column 1", "cannot start any token"),
        (LAUGHS, "line 1, column 4", "anchors and aliases"),
        ("a: 1\nb: *a", "", "anchors and aliases"),
        ("a: 1\na: 2", "line 2, column 1", "given once"),
        ("a: !!python/object/apply:os.system ['true']", "line 1, column 4", "tags"),
        ("a: " + "[" * 20 + "]" * 20, "line 1", "nested too deep"),
        ("x" * (2**20 + 1), "", "larger than 1 MiB"),
        ("[" + "1," * 60_000 + "1]", "line 1", "too many values"),
        ("---\na: 1\n---\nb: 2", "", "here are 2"),
        ("", "", "here are 0"),
        ("- a", "", "a mapping"),
        ("just words", "", "a mapping"),
        ("kind: ConfigMap\nmetadata: {}", "data", "a mapping"),
        ("kind: ConfigMap\ndata: {other.yaml: x}", "data.plans.yaml", "no such text"),
        (b"\xff\xfe\x00", "", "not UTF-8"),
        ("a: \x01", "", "special characters"),
    ],
)
def test_what_is_no_plain_document_is_refused_with_its_place(text: str | bytes, path: str, said: str) -> None:
    ((where, reason),) = faults_of(text).items()
    assert where.startswith(path)
    assert said in reason


def test_ten_megabytes_are_refused_before_they_are_read() -> None:
    assert faults_of("plans: {}\n" + "# " + "x" * 10_000_000) == {"": "the document is larger than 1 MiB"}


@pytest.mark.parametrize(
    "quantity",
    ["-1", "NaN", "nan", "Infinity", "1e400", "1e-400", "", " 1", "1 ", "8GiB", "１", "1_000", None, True, [1]],
)
def test_a_quantity_that_is_none_is_named_wherever_it_stands(quantity: object) -> None:
    document = catalog_document()
    document["plans"]["dev-pool"]["requests"]["cpu"] = quantity
    document["plans"]["pro-pool"]["limitRange"]["maxMemory"] = quantity
    document["addons"]["turbo-x1"]["storage"] = quantity
    document["suspendedPlan"]["memory"] = quantity
    document["systemOverhead"]["cpuPerProject"] = quantity
    assert set(faults_of(document)) == {
        "plans.dev-pool.requests.cpu",
        "plans.pro-pool.limitRange.maxMemory",
        "addons.turbo-x1.storage",
        "suspendedPlan.memory",
        "systemOverhead.cpuPerProject",
    }


@pytest.mark.parametrize("number", ["-1", "NaN", "Infinity", "1e400", "1e3", "", "１", True, None, 0.5])
def test_a_price_a_ratio_and_a_count_that_are_no_numbers_are_all_named(number: object) -> None:
    document = catalog_document()
    document["plans"]["dev-pool"] |= {"price": number, "burstRatio": number, "pods": number, "objectStorage": number}
    document["eipQuota"]["pro-pool"] = number
    assert set(faults_of(document)) == {
        *(f"plans.dev-pool.{name}" for name in ("price", "burstRatio", "pods", "objectStorage")),
        "eipQuota.pro-pool",
    }


@pytest.mark.parametrize("section", ["plans", "suspendedPlan", "systemOverhead", "eipQuota"])
def test_a_document_without_one_of_its_sections_is_refused(section: str) -> None:
    document = catalog_document()
    del document[section]
    assert faults_of(document) == {section: "is required"}


@pytest.mark.parametrize(
    "path", ["requests", "requests.memory", "burstRatio", "limitRange", "limitRange.minPVCStorage"]
)
def test_a_plan_that_lacks_something_is_refused(path: str) -> None:
    document = catalog_document()
    *above, last = path.split(".")
    place = document["plans"]["dev-pool"]
    for step in above:
        place = place[step]
    del place[last]
    assert faults_of(document) == {f"plans.dev-pool.{path}": "is required"}


def test_every_fault_of_a_document_is_named_at_once() -> None:
    found = faults_of(
        catalog_document(
            plans={
                "dev-pool": plan(price=19.999, burstRatio=0, prices=[{"currency": "EUR", "amount": 5}]),
                "Pro Pool": plan(),
            },
            addons={"turbo-x1": addon(currency="euro", disabled="yes")},
            eipQuota={"dev-pool": 1, "pro-pol": 1},
        )
    )
    assert found["eipQuota.pro-pol"] == "there is no plan of that code"
    assert found["plans.dev-pool.burstRatio"] == "must be above zero"
    assert found["addons.turbo-x1.disabled"] == "write true or false"
    assert {"plans.dev-pool.price", "plans.Pro Pool", "addons.turbo-x1.currency"} <= set(found)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"price": "19.999"}, "more decimals than EUR"),
        ({"currency": "JPY", "price": "0.5"}, "more decimals than JPY"),
        ({"currency": "XQX"}, "XQX"),
        ({"prices": [{"currency": "EUR", "amount": 5}]}, "two prices of one currency and interval"),
        ({"price": "10000000000001"}, "write a plain number"),
        ({"price": "99999999999999"}, "write a plain number"),
    ],
)
def test_a_price_that_is_no_amount_of_its_currency_is_refused(more: dict[str, Any], said: str) -> None:
    document = catalog_document()
    document["plans"]["dev-pool"] |= more
    assert said in "; ".join(faults_of(document).values())


def test_defaults_outside_their_bounds_are_refused() -> None:
    document = catalog_document()
    document["plans"]["dev-pool"]["limitRange"] |= {"defaultCPU": "5", "defaultRequestMem": "1Gi"}
    (reason,) = faults_of(document).values()
    assert "CPU" in reason


@pytest.mark.django_db
def test_a_refused_file_leaves_the_last_good_catalog_and_an_alarm_that_a_good_one_ends(
    cast: Cast, tmp_path: Path
) -> None:
    good = publish().catalog
    file = tmp_path / "plans.yaml"
    document = catalog_document()
    del document["eipQuota"]
    file.write_text(yaml.safe_dump(document))
    before = row_counts()
    said = refused(file)
    after = row_counts()
    assert said["error"]["faults"] == [{"path": "eipQuota", "reason": "is required"}]
    assert {table for table in after if after[table] != before[table]} <= {
        "catalog_refusals",
        "outbox",
        "outbox_deliveries",
        "event_feed",
    }
    assert in_force() == good
    refused(file)
    assert row_counts() == after, "told once while it stays wrong"
    assert CatalogRefusal.objects.get(resolved_at=None).source == "plans.yaml"
    file.write_text(yaml.safe_dump(catalog_document(), sort_keys=False))
    call_command("import_catalog", str(file), stdout=io.StringIO())
    assert not CatalogRefusal.objects.filter(resolved_at=None).exists()


@pytest.mark.django_db
def test_a_dry_run_of_a_bad_file_names_its_faults_and_writes_nothing(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "plans.yaml"
    file.write_text(yaml.safe_dump(catalog_document(plans={}, eipQuota={"gone": -1})))
    before = row_counts()
    said = refused(file, "--dry-run")
    assert {fault["path"] for fault in said["error"]["faults"]} == {"plans", "eipQuota.gone"}
    assert row_counts() == before


def refused(file: Path, *options: str) -> dict[str, Any]:
    printed = io.StringIO()
    with pytest.raises(CommandError, match="catalog_invalid"):
        call_command("import_catalog", str(file), *options, stdout=printed)
    said: dict[str, Any] = json.loads(printed.getvalue().splitlines()[-1])
    return said
