"""How much of each limit is in use, ready to be drawn. Pure. Unknown usage stays unknown; it is never shown as zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from quotas.dimensions import DIMENSIONS


@dataclass(frozen=True)
class Bar:
    """`limit` is None where none is enforced, `used` where nobody reported it. `percent` is rounded down to a tenth, so
    that nothing looks full before it is; `reached` is the highest alert that is reached, in per cent."""

    name: str
    limit: Decimal | None
    used: Decimal | None
    percent: Decimal | None
    reached: int

    @property
    def width(self) -> Decimal:
        """Of the drawn bar, 0 to 100."""
        return min(self.percent or Decimal(0), Decimal(100))

    @property
    def over(self) -> bool:
        return self.limit is not None and self.used is not None and self.used > self.limit


def bars(
    limits: Mapping[str, Decimal], used: Mapping[str, Decimal | None], alerts: Sequence[int], names: Sequence[str] = ()
) -> list[Bar]:
    """One for each dimension, in their order; `alerts` are the percentages that tell the customer."""
    return [_bar(name, limits.get(name), used.get(name), alerts) for name in names or DIMENSIONS]


def _bar(name: str, limit: Decimal | None, used: Decimal | None, alerts: Sequence[int]) -> Bar:
    if limit is None or used is None:
        return Bar(name, limit, used, None, 0)
    if not limit:
        return Bar(name, limit, used, Decimal(100) if used else Decimal(0), max(alerts, default=0) if used else 0)
    percent = (used * 100 / limit).quantize(Decimal("0.1"), ROUND_FLOOR)
    return Bar(name, limit, used, percent, max((step for step in alerts if used * 100 >= limit * step), default=0))
