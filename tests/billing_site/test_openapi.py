"""The description of the API is committed, complete and kept."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from billing_site.api_surface import broken, surface
from billing_site.management.commands.openapi import DESCRIPTION, RELEASED

DOCUMENT: dict[str, Any] = json.loads(DESCRIPTION.read_text())
TRANSFERS = "/api/v1/bank-transfers"


def test_the_committed_description_is_the_code_s() -> None:
    call_command("openapi", "--check", stdout=Path("/dev/null").open("w"))  # noqa: SIM115


def test_every_operation_is_summarised_exemplified_and_refuses_with_problems() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation.get("summary"), where
            done = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
            assert done, where
            for content in (content for answer in done for content in answer.get("content", {}).values()):
                assert {"example", "examples"} & set(content), where


def changed(change: Any) -> list[str]:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return broken(surface(DOCUMENT), surface(document))


def test_what_breaks_a_client_is_named() -> None:
    def properties(document: Any, name: str) -> Any:
        return document["components"]["schemas"][name]

    def without_operation(document: Any) -> None:
        del document["paths"][TRANSFERS]["post"]

    def without_field(document: Any) -> None:
        del properties(document, "BankTransferOut")["properties"]["reference"]

    def other_type(document: Any) -> None:
        properties(document, "BankTransferOut")["properties"]["amount_minor"] = {"type": "string"}

    def new_demand(document: Any) -> None:
        schema = properties(document, "RecordTransferRequest")
        schema["properties"]["branch"] = {"type": "string"}
        schema["required"].append("branch")

    def new_parameter(document: Any) -> None:
        parameters = document["paths"][TRANSFERS]["get"]["parameters"]
        parameters.append({"in": "query", "name": "bank", "schema": {"type": "string"}, "required": True})

    assert f"gone: POST {TRANSFERS}" in changed(without_operation)
    assert f"gone: GET {TRANSFERS} > 200 data[].reference: string" in changed(without_field)
    assert f"gone: GET {TRANSFERS} > 200 data[].amount_minor: integer" in changed(other_type)
    assert changed(new_demand) == [f"newly demanded: POST {TRANSFERS} <! branch"]
    assert changed(new_parameter) == [f"newly demanded: GET {TRANSFERS} ?! bank"]


def test_what_only_adds_breaks_nobody() -> None:
    def more(document: Any) -> None:
        schemas = document["components"]["schemas"]
        schemas["BankTransferOut"]["properties"]["branch"] = {"type": "string"}
        schemas["RecordTransferRequest"]["properties"]["branch"] = {"type": "string"}
        schemas["RecordTransferRequest"]["required"].remove("reason")
        document["paths"]["/api/v1/new"] = document["paths"][TRANSFERS]

    assert changed(more) == []


def test_the_release_is_what_clients_have() -> None:
    assert broken(RELEASED.read_text().splitlines(), surface(DOCUMENT)) == []


@pytest.mark.django_db
def test_the_pages_that_show_it_come_from_here(client: Client) -> None:
    shown = client.get("/api/schema")
    assert json.loads(shown.content)["info"]["title"] == "Countinghouse"
    page = client.get("/api/docs/").content.decode()
    assert "swagger-ui" in page
    assert "https://" not in page.replace("https://json-schema.org", "")
