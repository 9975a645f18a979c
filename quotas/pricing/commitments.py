"""A commitment: an amount the customer promised to use over a term. Usage draws it down, in whole minor units."""

from dataclasses import dataclass
from decimal import Decimal

from quotas.pricing.exact import from_minor, to_minor
from quotas.pricing.lines import Line


@dataclass(frozen=True)
class Commitment:
    """`amount_minor` over a term of `periods`. Paid in advance, it covers usage; in arrears, usage is billed as it
    comes and the last period bills what of it was not used, the true-up.
    """

    amount_minor: int
    periods: int = 1
    in_advance: bool = False


@dataclass(frozen=True)
class Drawdown:
    """Where a commitment stands after a period, minor units: drawn + remaining is always the amount committed."""

    drawn_now_minor: int
    drawn_minor: int
    remaining_minor: int
    overage_minor: int
    true_up_minor: int


def draw(
    commitment: Commitment, used: Decimal, currency: str, *, drawn_minor: int, period: int
) -> tuple[tuple[Line, ...], Drawdown]:
    """Draw one period's usage (major units, exact) from the commitment.

    What is drawn is what is billed, so it counts the rounded amount: the bills of a term add up to the larger of
    the commitment and the usage, to the cent. What remains at the end is billed once or, paid in advance, forfeited.
    """
    used_minor = to_minor(used, currency)
    now = min(used_minor, commitment.amount_minor - drawn_minor)
    remaining = commitment.amount_minor - drawn_minor - now
    last = period == commitment.periods
    true_up = remaining if last and not commitment.in_advance else 0
    drawdown = Drawdown(now, drawn_minor + now, remaining, used_minor - now, true_up)
    if commitment.in_advance:
        # Covered in full, it owes nothing, not the fraction of a cent that rounding left.
        covered = used if now == used_minor else from_minor(now, currency)
        return ((Line("commitment_drawdown", -covered),) if covered else ()), drawdown
    return ((Line("commitment_true_up", from_minor(true_up, currency)),) if true_up else ()), drawdown
