"""How an amount came about, line by line. The running total is rounded, so lines add up to the amount."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from quotas.pricing.exact import exactly, shortest, to_minor


@dataclass(frozen=True)
class Line:
    """What one tier or rule contributed, in major units; below zero where it lowers the amount.

    `amount_minor` is given by `numbered`. A tier holds the units above `over`, up to and with `up_to`.
    """

    kind: str
    amount: Decimal
    quantity: Decimal | None = None
    rate: Decimal | None = None
    fee: Decimal | None = None
    over: Decimal | None = None
    up_to: Decimal | None = None
    name: str = ""
    match: str = ""  # the dimension's value that chose the rate
    amount_minor: int = 0

    def as_json(self) -> dict[str, Any]:
        """Decimals as strings; what does not apply is left out."""
        numbers = {name: getattr(self, name) for name in ("quantity", "rate", "fee", "over", "up_to")}
        return {
            "kind": self.kind,
            **({"name": self.name} if self.name else {}),
            **({"match": self.match} if self.match else {}),
            **{name: shortest(number) for name, number in numbers.items() if number is not None},
            "amount": shortest(self.amount),
            "amount_minor": self.amount_minor,
        }


def total(lines: Iterable[Line]) -> Decimal:
    """The exact sum, major units."""
    with exactly():
        return sum((line.amount for line in lines), Decimal(0))


def numbered(lines: Iterable[Line], currency: str) -> tuple[Line, ...]:
    """Each line with its minor units: the rounded running total after it less the one before it.

    So no cent is lost or made between the lines, however they are cut.
    """
    given, running, before = [], Decimal(0), 0
    with exactly():
        for line in lines:
            running += line.amount
            after = to_minor(running, currency)
            given.append(replace(line, amount_minor=after - before))
            before = after
    return tuple(given)
