"""The billing periods from an anchor on. Output is one JSON object; end is the first moment outside a period."""

import re
from argparse import ArgumentParser
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from accounts.errors import TimeInvalid
from accounts.json_commands import JsonCommand, Options
from quotas.billing_periods import Anchor, Interval, Period, periods
from quotas.errors import PeriodInvalid

MOST = 10_000
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--anchor", required=True, help="a date (local midnight), or 2026-01-31T12:00:00Z")
        parser.add_argument("--interval", required=True, help=", ".join(Interval))
        parser.add_argument("--count", required=True, help=f"how many, 1 to {MOST}")
        parser.add_argument("--timezone", default="UTC", help="whose wall clock counts, such as Europe/Berlin")

    def answer(self, options: Options) -> dict[str, Any]:
        zone = _zone(options["timezone"])
        anchor = _anchor(options["anchor"], zone)
        interval = _interval(options["interval"])
        found = periods(anchor, interval, _count(options["count"]))
        asked = {"anchor": _utc(anchor.moment), "interval": interval.value, "timezone": zone.key}
        return {**asked, "periods": [_as_json(one) for one in found]}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise PeriodInvalid(
            "no such time zone; write one like Europe/Berlin", field="timezone", code="time_zone_unknown"
        ) from None


def _anchor(text: str, zone: ZoneInfo) -> Anchor:
    try:
        if _DATE.fullmatch(text):
            return Anchor.on(date.fromisoformat(text), zone)
        if _MOMENT.fullmatch(text):
            return Anchor.at(datetime.fromisoformat(text.upper()), zone)
    except ValueError:  # the 31st of February
        pass
    raise TimeInvalid("write a date, or a moment as 2026-01-31T12:00:00Z", field="anchor")


def _interval(word: str) -> Interval:
    if word not in list(Interval):
        raise PeriodInvalid(f"choose one of {', '.join(Interval)}", field="interval")
    return Interval(word)


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or not 1 <= int(text) <= MOST:
        raise PeriodInvalid(f"write a whole number from 1 to {MOST}", field="count")
    return int(text)


def _as_json(one: Period) -> dict[str, Any]:
    return {
        "start": _utc(one.start),
        "end": _utc(one.end),
        "start_date": one.starts_on.isoformat(),
        "end_date": one.ends_on.isoformat(),
    }


def _utc(moment: datetime) -> str:
    """RFC 3339."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
