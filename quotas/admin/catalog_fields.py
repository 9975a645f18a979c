"""The fields of a plan, an add-on and the operator's sections: where each stands in the document, and how it is typed.

A form holds what people type; the catalog's own reading says what is wrong with it, by the path of the document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from accounts.admin.act_pages import text_field
from accounts.errors import DomainError
from quotas.catalog.reading import Document

TEXT, FLAG, LINES, PRICES = "text", "flag", "lines", "prices"
_CPU, _BYTES = "Such as 4 or 500m.", "Such as 8Gi."


@dataclass(frozen=True)
class Field:
    """`path` within the section; `default` is what a field left empty means, None where it must be filled."""

    name: str
    path: str
    label: str
    hint: str = ""
    kind: str = TEXT
    default: object = None


_SOLD = (
    Field("display_name", "displayName", "Name"),
    Field("description", "description", "Description", default=""),
    Field("price", "price", "Price a month", "In major units: 19 or 19.50."),
    Field("currency", "currency", "Currency", "Three letters, such as EUR."),
    Field("prices", "prices", "Other prices", "One a line, such as: 20 USD a month.", PRICES, ()),
    Field("self_service", "selfService", "Customers may choose it themselves", kind=FLAG, default=True),
)
PLAN: Mapping[str, Sequence[Field]] = {
    "Sold as": (
        *_SOLD,
        Field("recommended", "recommended", "Recommended", kind=FLAG, default=False),
        Field("features", "features", "What is said about it", "One a line.", LINES, ()),
        Field("trial_days", "trialDays", "Trial", "Days; empty is none.", default=0),
    ),
    "Grants": (
        Field("cpu", "requests.cpu", "CPU", _CPU),
        Field("memory", "requests.memory", "Memory", _BYTES),
        Field("storage", "requests.storage", "Storage", _BYTES),
        Field("burst_ratio", "burstRatio", "Burst ratio", "Limits are requests times this; 1 is no burst."),
        Field("pods", "pods", "Pods"),
        Field("load_balancers", "servicesLB", "Load balancers"),
        Field("object_storage", "objectStorage", "Object storage", "GB.", default=0),
        Field("external_ips", "", "Public addresses", "What is enforced; empty is not limited.", default=""),
        Field("ipv4", "ipv4", "Public addresses as shown", "Only shown; empty shows none.", default=""),
    ),
    "One container, pod and volume": (
        Field("default_cpu", "limitRange.defaultCPU", "Default CPU limit", _CPU),
        Field("default_memory", "limitRange.defaultMemory", "Default memory limit", _BYTES),
        Field("default_request_cpu", "limitRange.defaultRequestCPU", "Default CPU request", _CPU),
        Field("default_request_memory", "limitRange.defaultRequestMem", "Default memory request", _BYTES),
        Field("min_cpu", "limitRange.minCPU", "Least CPU", _CPU),
        Field("min_memory", "limitRange.minMemory", "Least memory", _BYTES),
        Field("max_cpu", "limitRange.maxCPU", "Most CPU of a container", _CPU),
        Field("max_memory", "limitRange.maxMemory", "Most memory of a container", _BYTES),
        Field("max_pod_cpu", "limitRange.maxPodCPU", "Most CPU of a pod", _CPU),
        Field("max_pod_memory", "limitRange.maxPodMemory", "Most memory of a pod", _BYTES),
        Field("min_volume", "limitRange.minPVCStorage", "Least of a volume", _BYTES),
        Field("max_volume", "limitRange.maxPVCStorage", "Most of a volume", _BYTES),
    ),
}
ADDON: Mapping[str, Sequence[Field]] = {
    "Sold as": _SOLD,
    "Grants, each": (
        Field("cpu", "cpu", "CPU", _CPU, default=0),
        Field("memory", "memory", "Memory", _BYTES, default=0),
        Field("storage", "storage", "Storage", _BYTES, default=0),
        Field("disabled", "disabled", "Switched off: hidden, and grants nothing", kind=FLAG, default=False),
    ),
}
SECTIONS: Mapping[str, Sequence[Field]] = {
    "What is left to a suspended organization": (
        Field("suspended_cpu", "suspendedPlan.cpu", "CPU", _CPU),
        Field("suspended_memory", "suspendedPlan.memory", "Memory", _BYTES),
        Field("suspended_storage", "suspendedPlan.storage", "Storage", _BYTES, default=0),
        Field("suspended_pods", "suspendedPlan.pods", "Pods"),
        Field("suspended_load_balancers", "suspendedPlan.servicesLB", "Load balancers"),
    ),
    "What each project takes beside it": (
        Field("overhead_cpu", "systemOverhead.cpuPerProject", "CPU", "Times the projects limit."),
        Field("overhead_memory", "systemOverhead.memPerProject", "Memory", "Times the projects limit."),
    ),
}


def all_fields(groups: Mapping[str, Sequence[Field]]) -> list[Field]:
    return [field for fields in groups.values() for field in fields]


def inputs(groups: Mapping[str, Sequence[Field]]) -> dict[str, forms.Field]:
    """The form's fields. None is required here: what is missing is said by the catalog's own reading."""
    return {field.name: _input(field) for field in all_fields(groups)}


def typed(groups: Mapping[str, Sequence[Field]], section: Document) -> dict[str, Any]:
    """A section as the form shows it."""
    return {field.name: _shown(field, get(section, field.path)) for field in all_fields(groups) if field.path}


def merged(groups: Mapping[str, Sequence[Field]], section: Document, cleaned: Mapping[str, Any]) -> Document:
    """The section with what was typed in place; keys the form does not show stay. Raises DomainError."""
    for field in all_fields(groups):
        if field.path:
            _put(section, field, _value(field, cleaned[field.name]))
    return section


def get(section: Document, path: str) -> Any:
    """What stands at a path, or None."""
    found: Any = section
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _input(field: Field) -> forms.Field:
    if field.kind == FLAG:
        return forms.BooleanField(label=field.label, required=False, widget=UnfoldBooleanWidget(), help_text=field.hint)
    if field.kind == TEXT:
        return text_field(field.label, hint=field.hint, required=False, longest=1024)
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
    return forms.CharField(label=field.label, help_text=field.hint, required=False, widget=widget, max_length=60_000)


def _shown(field: Field, value: Any) -> Any:
    if field.kind == FLAG:
        return field.default if value is None else value
    if field.kind == LINES:
        return "\n".join(value or ())
    if field.kind == PRICES:
        return "\n".join(f"{row['amount']} {row['currency']} a {row.get('interval', 'month')}" for row in value or ())
    return "" if value is None else str(value)


def _value(field: Field, given: Any) -> Any:
    """None where nothing is to be written."""
    if field.kind == FLAG:
        return given
    lines = [line.strip() for line in str(given).splitlines() if line.strip()]
    if field.kind == LINES:
        return lines
    if field.kind == PRICES:
        return [_price(line) for line in lines]
    return given.strip() or None


def _price(line: str) -> Document:
    """`20 USD a month`; whether it is an amount of a currency is said by the catalog's own reading."""
    words = [word for word in line.split() if word not in ("a", "per", "/")]
    if not 2 <= len(words) <= 3:
        raise DomainError("write one price a line, as 20 USD a month", field="prices", code="price_invalid")
    return dict(zip(("amount", "currency", "interval"), words, strict=False))


def _put(section: Document, field: Field, value: Any) -> None:
    *above, last = field.path.split(".")
    for step in above:
        section = section.setdefault(step, {})
    if value is None:
        section.pop(last, None)
    else:
        section[last] = value
