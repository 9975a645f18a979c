"""From a catalog to the file operators keep."""

from decimal import Decimal
from typing import Any

import yaml

from quotas.catalog.reading import KEY, plain
from quotas.catalog.terms import Catalog

_BREAKS = frozenset("\x85\u2028\u2029\ufeff\r")  # YAML folds them, or drops them


class _Writer(yaml.SafeDumper):
    """Decimals as plain numbers, texts of several lines as blocks."""


def _decimal(writer: yaml.SafeDumper, value: Decimal) -> yaml.Node:
    return writer.represent_scalar("tag:yaml.org,2002:float", f"{value:f}")


def _string(writer: yaml.SafeDumper, value: str) -> yaml.Node:
    return writer.represent_scalar("tag:yaml.org,2002:str", value, style=_style(value))


def _style(value: str) -> str | None:
    """The quotes without which a text would be read as something else; None where the library knows better."""
    if not _BREAKS.isdisjoint(value):
        return '"'
    if "\n" in value:
        return "|"
    return None if plain(value) == value else "'"


_Writer.add_representer(Decimal, _decimal)
_Writer.add_representer(str, _string)


def write(catalog: Catalog) -> str:
    """The catalog as `plans.yaml`; read again it is the same catalog. Every section of the operator's is there."""
    return _dump(catalog.as_document())


def write_configmap(catalog: Catalog, *, name: str = "billing-plans", namespace: str = "kube-dc") -> str:
    """The same inside the ConfigMap that a cluster keeps it in."""
    return _dump(configmap(catalog, name=name, namespace=namespace))


def configmap(catalog: Catalog, *, name: str, namespace: str) -> dict[str, Any]:
    """The ConfigMap as an object of the cluster."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": {KEY: write(catalog)},
    }


def _dump(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=100)
