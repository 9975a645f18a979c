"""Meters: what usage is measured in. Phases move forward one step at a time; dimensions are only added."""

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.errors import Conflict, NotFound, constraints
from accounts.signed_history import save_signed
from quotas.errors import MeterInvalid
from quotas.models import Aggregation, Meter, MeterPhase

MOST_DIMENSIONS = 32  # contracts.md 000.1, MeterDefinition
PRICED = (MeterPhase.PUBLISHED, MeterPhase.DEPRECATED)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,252}", re.ASCII)
_DIMENSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}", re.ASCII)
_NEXT = dict(zip(MeterPhase.values, MeterPhase.values[1:], strict=False))


@transaction.atomic
def define_meter(
    name: str,
    *,
    display_name: str,
    unit: str,
    aggregation: str,
    dimensions: Sequence[str] = (),
    actor: Actor,
    reason: str,
    at: datetime,
) -> Meter:
    """Define a meter as a draft. `unit` is UCUM, such as h or GBy. Raises MeterInvalid, Conflict, ReasonRequired."""
    at, reason = check_moment(at), require_reason(reason)
    if not _NAME.fullmatch(name):
        raise MeterInvalid("a name is 1 to 253 letters, digits, dots, slashes, _ and -", field="name")
    if aggregation not in Aggregation.values:
        raise MeterInvalid(f"choose one of {', '.join(Aggregation.values)}", field="aggregation")
    if not 0 < len(display_name) <= 128:
        raise MeterInvalid("write a name of 1 to 128 characters", field="display_name")
    if not 0 < len(unit) <= 64:
        raise MeterInvalid("write a UCUM unit of 1 to 64 characters", field="unit")
    meter = Meter(
        name=name,
        display_name=display_name,
        unit=unit,
        aggregation=aggregation,
        dimensions=_dimensions([], dimensions),
        created_at=at,
    )
    taken = Conflict(f"there is a meter {name}", field="name", code="meter_exists")
    with constraints({"meters_name_key": taken}), transaction.atomic():
        save_signed(meter, actor, reason, at)
    _audit(meter, "meter.define", actor, reason, at)
    return meter


@transaction.atomic
def add_dimensions(meter_id: int, names: Sequence[str], *, actor: Actor, reason: str, at: datetime) -> Meter:
    """Declare more dimensions. Raises NotFound, MeterInvalid, Conflict (`meter_retired`), ReasonRequired."""
    at, reason = check_moment(at), require_reason(reason)
    meter = _locked(meter_id)
    if meter.phase == MeterPhase.RETIRED:
        raise Conflict("the meter is retired", field="phase", code="meter_retired")
    added = _dimensions(meter.dimensions, names)
    if added == meter.dimensions:
        raise MeterInvalid("name at least one dimension that it does not have", field="dimensions")
    meter.dimensions = added
    save_signed(meter, actor, reason, at)
    _audit(meter, "meter.add_dimensions", actor, reason, at)
    return meter


@transaction.atomic
def advance(meter_id: int, *, actor: Actor, reason: str, at: datetime) -> Meter:
    """Draft → Published → Deprecated → Retired, one step. Raises NotFound, Conflict (`meter_retired`),
    ReasonRequired."""
    at, reason = check_moment(at), require_reason(reason)
    meter = _locked(meter_id)
    meter.phase = next_phase(meter)
    meter.published_at = meter.published_at or at
    save_signed(meter, actor, reason, at)
    _audit(meter, f"meter.{meter.phase.lower()}", actor, reason, at)
    return meter


def next_phase(meter: Meter) -> str:
    """The one phase a meter can move to. Raises Conflict (`meter_retired`)."""
    if meter.phase not in _NEXT:
        raise Conflict("the meter is retired; that is for good", field="phase", code="meter_retired")
    return _NEXT[meter.phase]


def find_meter(name: str) -> Meter:
    """The meter of a name. Raises NotFound."""
    meter = Meter.objects.filter(name=name).first()
    if meter is None:
        raise NotFound("there is no meter of that name", field="metric")
    return meter


def _dimensions(before: list[str], names: Sequence[str]) -> list[str]:
    for name in names:
        if not _DIMENSION.fullmatch(name):
            raise MeterInvalid(f"{name[:64]!r} is no name of a dimension", field="dimensions")
    after = list(dict.fromkeys([*before, *names]))
    if len(after) > MOST_DIMENSIONS:
        raise MeterInvalid(f"a meter has at most {MOST_DIMENSIONS} dimensions", field="dimensions")
    return after


def _locked(meter_id: int) -> Meter:
    meter = Meter.objects.select_for_update().filter(pk=meter_id).first()
    if meter is None:
        raise NotFound("no such meter", field="meter")
    return meter


def _audit(meter: Meter, action: str, actor: Actor, reason: str, at: datetime) -> None:
    after = {"name": meter.name, "phase": meter.phase, "dimensions": meter.dimensions}
    record(actor, action, subject=("meter", meter.pk), at=at, reason=reason, after=after)
