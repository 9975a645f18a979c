"""An example for every operation of the API's description, made from the names of its fields."""

from collections.abc import Mapping
from typing import Any

from billing_site.api_surface import DEEPEST, Document, resolved

_ID = "0000000000007"
# What stands under a name, wherever it stands.
_BY_NAME: Mapping[str, Any] = {
    "organization": f"org_{_ID}",
    "project": f"prj_{_ID}",
    "billing_account": f"ba_{_ID}",
    "allocation": f"alc_{_ID}",
    "transaction": f"tx_{_ID}",
    "user": f"usr_{_ID}",
    "currency": "EUR",
    "amount_minor": 12500,
    "balance_after_minor": 12500,
    "email": "billing@acme.example",
    "name": "Acme",
    "slug": "acme",
    "external_id": "acme-42",
    "reason": "As agreed by phone",
    "value_date": "2026-01-31",
    "country": "DE",
    "time_zone": "Europe/Berlin",
    "next_cursor": "azoxMjM",
    "has_more": True,
    "code": "amount_invalid",
    "detail": "The amount is zero or out of range",
    "pointer": "/amount_minor",
    "status": 422,
    "title": "Unprocessable Entity",
    "type": "about:blank",
    "retryable": False,
    "request_id": "5f0c2f9e1d7d734226b5913558c7aeb8",
}


def ours_first(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook: /api/v1 stands before the addresses of the seeds, which do the same."""
    paths = result["paths"]
    result["paths"] = {path: paths[path] for path in sorted(paths, key=lambda path: not path.startswith("/api/v1/"))}
    return result


def add_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook: bodies and answers without an example get one; of refusals the one about the body."""
    for operation in (operation for methods in result["paths"].values() for operation in methods.values()):
        answers = operation.get("responses", {})
        shown = [body for status, body in answers.items() if status < "300" or status == "422"]
        for body in (operation.get("requestBody", {}), *shown):
            for content in body.get("content", {}).values():
                if "schema" in content and not {"example", "examples"} & set(content):
                    content["example"] = example_of(result, content["schema"])
    return result


def example_of(document: Document, schema: Document, name: str = "", depth: int = 0) -> Any:
    """A value that the schema allows."""
    given = schema.get("examples") or resolved(document, schema).get("examples")
    found = resolved(document, schema)
    if given:
        return given[0]
    if "enum" in found:
        return found["enum"][0]
    kinds = found.get("type", "object")
    kind = kinds if isinstance(kinds, str) else next(word for word in kinds if word != "null")
    known = _BY_NAME.get(name)
    if known is not None and _fits(known, kind):
        return known
    match kind:
        case "object":
            inner = found.get("properties", {}) if depth < DEEPEST else {}
            return {key: example_of(document, value, key, depth + 1) for key, value in inner.items()}
        case "array":
            return [example_of(document, found.get("items", {}), name.removesuffix("s"), depth + 1)]
        case "boolean":
            return False
        case "integer" | "number":
            return max(1, found.get("minimum", 1))
        case _:
            return {"date-time": "2026-01-31T12:00:00Z", "date": "2026-01-31"}.get(found.get("format", ""), "text")


def _fits(value: Any, kind: str) -> bool:
    python = {"string": str, "integer": int, "number": int, "boolean": bool}.get(kind)
    return python is not None and type(value) is python
