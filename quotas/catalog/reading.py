"""From text to a plain document: YAML without the parts of it that surprise.

Only mappings, lists, strings, whole numbers, decimals (never floats), true, false and null. Refused: anchors and
aliases (a few lines of them make gigabytes), keys given twice, tags, deep nesting, more than one document, and more
than a mebibyte. A ConfigMap that holds the document as `plans.yaml` is opened.
"""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from accounts.errors import DomainError
from quotas.catalog.faults import CatalogInvalid, Fault

LARGEST_BYTES = 2**20
_DEEPEST = 12
_MOST_EVENTS = 50_000
KEY = "plans.yaml"
RECEIPT = {"catalog_version", "sha256", "catalog"}
_WHOLE = re.compile(r"[-+]?(0|[1-9]\d{0,39})", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(\d{1,40}\.\d{0,40}|\.\d{1,40})", re.ASCII)
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}

Document = dict[str, Any]


def read_text(text: str | bytes) -> Document:
    """The catalog document in a YAML or JSON text, bare or inside its ConfigMap. Raises CatalogInvalid."""
    document = _mapping(_load(text), "")
    if document.get("kind") == "ConfigMap":
        inside = _mapping(document.get("data"), "data").get(KEY)
        if not isinstance(inside, str):
            raise CatalogInvalid([Fault(f"data.{KEY}", "the ConfigMap holds no such text")])
        document = _mapping(_load(inside), f"data.{KEY}")
    return document


def read_file(path: Path) -> bytes:
    """The bytes of a file, one more than are read at most. Raises DomainError (`file_not_read`)."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such file"
        raise DomainError(f"cannot read {path}: {why}", field="file", code="file_not_read") from None


def _mapping(value: object, path: str) -> Document:
    if not isinstance(value, dict):
        raise CatalogInvalid([Fault(path, "a mapping is expected here")])
    return value


def _load(text: str | bytes) -> object:
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    if len(raw) > LARGEST_BYTES:
        raise CatalogInvalid([Fault("", "the document is larger than 1 MiB")])
    try:
        decoded = raw.decode("utf-8-sig")
        _refuse_surprises(decoded)
        documents = [_value(node) for node in yaml.compose_all(decoded, yaml.SafeLoader)]
    except UnicodeDecodeError:
        raise CatalogInvalid([Fault("", "the document is not UTF-8 text")]) from None
    except yaml.YAMLError as error:
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "this is no YAML"
        raise CatalogInvalid([Fault(_where(getattr(error, "problem_mark", None)), str(reason))]) from None
    catalogs = [document for document in documents if not _is_receipt(document)]
    if len(catalogs) != 1:
        raise CatalogInvalid([Fault("", f"one document is expected, here are {len(catalogs)}")])
    return catalogs[0]


def _is_receipt(document: object) -> bool:
    """What `export_catalog` prints below the document."""
    return isinstance(document, dict) and set(document) == RECEIPT


def _refuse_surprises(text: str) -> None:
    """Look at the stream of events, which needs no memory, before anything is built from it."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, yaml.SafeLoader), 1):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused(event, "anchors and aliases are refused; write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST or count > _MOST_EVENTS:
            raise _refused(event, "the document is nested too deep or has too many values")
        if getattr(event, "tag", None) not in (None, "!"):
            raise _refused(event, "tags are refused")


def _value(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _pairs(node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    if node is None:
        return None
    return plain(node.value) if isinstance(node, yaml.ScalarNode) and not node.style else str(node.value)


def _pairs(node: yaml.MappingNode) -> Document:
    found: Document = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value in found:
            raise _refused(key, "a key is a text, and is given once")
        found[key.value] = _value(value)
    return found


def plain(text: str) -> Any:
    """What a scalar without quotes means."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _refused(at: Any, reason: str) -> CatalogInvalid:
    return CatalogInvalid([Fault(_where(at.start_mark), reason)])


def _where(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
