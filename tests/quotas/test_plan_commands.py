"""The commands about plans: the last line is JSON, a refusal is one too, and leaves nothing written."""

import json
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import ApprovalRequest
from quotas.models import CatalogRefusal, CatalogVersion, Limit, Subscription, SubscriptionItem
from tests.cast import Cast
from tests.quotas.plans import catalog_document, plan, publish

pytestmark = pytest.mark.django_db


def run(*command: str) -> dict[str, Any]:
    """The last line, of an answer or of a refusal."""
    output = StringIO()
    with suppress(CommandError):
        call_command(*command, stdout=output)
    return dict(json.loads(output.getvalue().splitlines()[-1]))


def refused(*command: str) -> tuple[str, str]:
    with pytest.raises(CommandError):
        call_command(*command, stdout=StringIO())
    error = run(*command)["error"]
    return error["code"], error["field"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plans.yaml"
    path.write_text(yaml.safe_dump(catalog_document(), sort_keys=False))
    return path


def test_the_first_import_publishes_and_the_same_again_changes_nothing(file: Path) -> None:
    dry = run("import_catalog", str(file), "--dry-run")
    assert (dry["dry_run"], dry["changes"][0]["before"]) == (True, None)
    assert not CatalogVersion.objects.exists()
    first = run("import_catalog", str(file))
    assert (first["state"], first["version"], first["plans"]) == (
        "published",
        1,
        ["dev-pool", "pro-pool", "scale-pool", "lab"],
    )
    assert run("import_catalog", str(file))["state"] == "unchanged"
    assert CatalogVersion.objects.count() == 1


def test_what_is_exported_imports_again(file: Path, tmp_path: Path) -> None:
    run("import_catalog", str(file))
    for number, options in enumerate(([], ["--configmap"])):
        output, again = StringIO(), tmp_path / f"again-{number}.yaml"
        call_command("export_catalog", *options, stdout=output)
        again.write_text(output.getvalue())
        assert run("import_catalog", str(again))["state"] == "unchanged"
    told = run("export_catalog", "--configmap", "--output", str(tmp_path / "alone.yaml"))
    assert run("import_catalog", str(tmp_path / "alone.yaml"))["sha256"] == told["sha256"]
    assert yaml.safe_load((tmp_path / "alone.yaml").read_text())["kind"] == "ConfigMap"


def test_a_later_import_waits_for_a_second_person(cast: Cast, file: Path) -> None:
    run("import_catalog", str(file))
    file.write_text(yaml.safe_dump(catalog_document(plans={"dev-pool": plan(price=25)}, eipQuota={})))
    waiting = run("import_catalog", str(file), "--as", cast.dana.email, "--reason", "dearer power")
    assert (waiting["state"], waiting["version"]) == ("waiting", None)
    assert ApprovalRequest.objects.get().public_id == waiting["approval"]
    assert run("quota_for", "--plan", "dev-pool")["monthly_price"]["amount_minor"] == 1900
    assert refused("import_catalog", str(file), "--as", cast.bob.email) == ("forbidden", "as")


def test_a_refused_import_names_every_fault_and_the_last_good_one_stays(file: Path) -> None:
    run("import_catalog", str(file))
    document = catalog_document()
    del document["eipQuota"]
    document["plans"]["pro-pool"]["requests"]["cpu"] = "1e400"
    document["addons"]["turbo-x1"]["price"] = -1
    file.write_text(yaml.safe_dump(document))
    error = run("import_catalog", str(file))["error"]
    assert error["code"] == "catalog_invalid"
    assert {fault["path"] for fault in error["faults"]} == {
        "eipQuota",
        "plans.pro-pool.requests.cpu",
        "addons.turbo-x1.price",
    }
    assert CatalogRefusal.objects.get(resolved_at=None).source == "plans.yaml"
    assert CatalogVersion.objects.count() == 1
    assert run("quota_for", "--plan", "pro-pool")["eip"] == 1
    file.write_text(yaml.safe_dump(catalog_document()))
    run("import_catalog", str(file))
    assert not CatalogRefusal.objects.filter(resolved_at=None).exists()


def test_a_dry_run_of_a_bad_document_raises_no_alarm(file: Path) -> None:
    file.write_text("plans: {}")
    assert refused("import_catalog", str(file), "--dry-run") == ("catalog_invalid", "catalog")
    assert not CatalogRefusal.objects.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--plan", "no-pool"], ("unknown_item", "plan")),
        (["--plan", "pro-pool", "--addon", "turbo-x9"], ("unknown_item", "addon")),
        (["--plan", "pro-pool", "--addon", "turbo-x1=-1"], ("quantity_invalid", "addon")),
        (["--plan", "pro-pool", "--addon", "turbo-x1=1.5"], ("quantity_invalid", "addon")),
        (["--plan", "pro-pool", "--addon", "turbo-x1=NaN"], ("quantity_invalid", "addon")),
        (["--plan", "pro-pool", "--addon", "turbo-x1=1e400"], ("quantity_invalid", "addon")),
        (["--plan", "pro-pool", "--addon", "turbo-x1", "--addon", "turbo-x1=2"], ("quantity_invalid", "addon")),
        (["--plan", "pro-pool", "--status", "gone"], ("status_unknown", "status")),
        (["--plan", "pro-pool", "--projects-limit", "-1"], ("projects_limit_invalid", "projects_limit")),
        (["--plan", "pro-pool", "--projects-limit", "9" * 30], ("projects_limit_invalid", "projects_limit")),
        (["--plan", "pro-pool", "--catalog", "/nowhere.yaml"], ("file_not_read", "file")),
    ],
)
def test_quota_for_names_the_option_at_fault(file: Path, options: list[str], said: tuple[str, str]) -> None:
    run("import_catalog", str(file))
    assert refused("quota_for", *options) == said


def test_there_is_nothing_to_answer_from_before_a_catalog(cast: Cast) -> None:
    assert refused("quota_for", "--plan", "pro-pool") == ("no_catalog", "catalog")
    assert refused("export_catalog") == ("no_catalog", "catalog")
    assert refused("assign_plan", "acme", "--plan", "pro-pool") == ("no_catalog", "catalog")


def test_quota_for_reads_a_file_that_nobody_published(file: Path) -> None:
    told = run("quota_for", "--plan", "dev-pool", "--catalog", str(file), "--projects-limit", "3")
    assert told["requests"] == {"cpu": "4", "memory": "8Gi", "storage": "60Gi"}


def test_assign_plan_tells_what_is_held_and_a_dry_run_writes_nothing(cast: Cast) -> None:
    publish()
    command = ["assign_plan", cast.acme.public_id, "--plan", "pro-pool", "--addon", "turbo-x1=2"]
    rehearsed = run(*command, "--dry-run")
    assert not Subscription.objects.exists()
    told = run(*command, "--as", cast.dana.email)
    assert told["limits"] == rehearsed["limits"]
    assert (told["status"], told["plan"], told["addons"]) == ("active", "pro-pool", {"turbo-x1": 2})
    assert told["limits"]["hierarchical_resource_quota"]["requests.cpu"] == "12"
    assert SubscriptionItem.objects.count() == 2
    assert run("assign_plan", "--organization", "acme", "--plan", "dev-pool")["addons"] == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nobody", "--plan", "pro-pool"], ("not_found", "organization")),
        (["", "--plan", "pro-pool"], ("not_found", "organization")),
        (["{project}", "--plan", "pro-pool"], ("not_found", "organization")),
        (["acme", "--plan", "no-pool"], ("unknown_item", "plan")),
        (["acme", "--plan", "pro-pool", "--addon", "turbo-x1=-1"], ("quantity_invalid", "addon")),
        (["acme", "--plan", "pro-pool", "--billing-account", "{foreign}"], ("not_found", "billing_account")),
        (["acme", "--plan", "pro-pool", "--billing-account", "x"], ("not_found", "billing_account")),
        (["acme", "--plan", "pro-pool", "--at", "2999-01-01T00:00:00Z"], ("time_invalid", "at")),
        (["acme", "--plan", "pro-pool", "--at", "tomorrow"], ("time_invalid", "at")),
        (["acme", "--plan", "pro-pool", "--timezone", "Mars/Base"], ("time_zone_unknown", "time_zone")),
        (["acme", "--plan", "pro-pool", "--interval", "decade"], ("no_price", "currency")),
        (["acme", "--plan", "pro-pool", "--reason", ""], ("reason_required", "reason")),
        (["acme", "--plan", "pro-pool", "--as", "nobody@else.example"], ("not_found", "as")),
    ],
)
def test_assign_plan_names_the_option_at_fault(cast: Cast, options: list[str], said: tuple[str, str]) -> None:
    publish()
    ids = {"{foreign}": cast.foreign.public_id, "{project}": cast.project.public_id}
    assert refused("assign_plan", *[ids.get(option, option) for option in options]) == said
    assert not Subscription.objects.exists()
    assert not Limit.objects.exists()
