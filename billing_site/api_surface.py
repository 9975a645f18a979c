"""What a client of the API can rely on, as lines of text: which operations, parameters, fields and answers there are.

Pure. A line that goes breaks somebody; so does a new demand on a request that clients already send.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
DEEPEST = 8


def surface(document: Document) -> list[str]:
    """Sorted lines, such as `GET /api/v1/projects > 200 data[].id: string` or `POST /api/v1/projects <! name`."""
    return sorted(set(_lines(document)))


def broken(released: list[str], current: list[str]) -> list[str]:
    """What a client of the released API would stumble over, a sentence each."""
    before, now = set(released), set(current)
    gone = [f"gone: {line}" for line in released if line not in now and " <! " not in line and " ?! " not in line]
    known = {_operation(line) for line in before}
    demanded = [
        f"newly demanded: {line}"
        for line in current
        if (" <! " in line or " ?! " in line) and line not in before and _operation(line) in known
    ]
    return gone + demanded


def _operation(line: str) -> str:
    return " ".join(line.split(" ")[:2])


def _lines(document: Document) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield from _of_operation(document, f"{method.upper()} {path}", methods[method])


def _of_operation(document: Document, name: str, operation: Document) -> Iterator[str]:
    yield name
    for parameter in operation.get("parameters", []):
        if parameter["in"] != "path":
            yield f"{name} ? {parameter['name']}: {_type(document, parameter['schema'])}"
            yield from [f"{name} ?! {parameter['name']}"] if parameter.get("required") else []
    for path, kind, demanded in _contents(document, operation.get("requestBody", {})):
        yield f"{name} < {path}: {kind}"
        yield from [f"{name} <! {path}"] if demanded else []
    for status, response in operation.get("responses", {}).items():
        yield f"{name} > {status}"
        for path, kind, _ in _contents(document, response) if status.startswith("2") else ():
            yield f"{name} > {status} {path}: {kind}"


def _contents(document: Document, body: Document) -> Iterator[tuple[str, str, bool]]:
    for content in body.get("content", {}).values():
        yield from _fields(document, content.get("schema", {}))


def _fields(document: Document, schema: Document, path: str = "", depth: int = 0) -> Iterator[tuple[str, str, bool]]:
    """Each field with its path, its type and whether a request must have it."""
    found = resolved(document, schema)
    if depth > DEEPEST:
        return
    if "items" in found:
        yield from _fields(document, found["items"], f"{path}[]", depth + 1)
    for name, inner in found.get("properties", {}).items():
        at = f"{path}.{name}" if path else name
        yield at, _type(document, inner), name in found.get("required", ()) and not inner.get("readOnly")
        yield from _fields(document, inner, at, depth + 1)


def resolved(document: Document, schema: Document) -> Document:
    """The schema behind a reference, or behind one that stands alone beside null."""
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif len(some := [one for one in _choices(schema) if one.get("type") != "null"]) == 1:
            schema = some[0]
        else:
            return schema


def _choices(schema: Document) -> list[Document]:
    return [*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())]


def _type(document: Document, schema: Document) -> str:
    found = resolved(document, schema)
    kinds = found.get("type", "any")
    words = [kinds] if isinstance(kinds, str) else list(kinds)
    return "|".join(sorted(word for word in words if word != "null"))
