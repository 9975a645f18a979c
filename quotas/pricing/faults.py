"""What is wrong with a document: every fault with its path and reason, not only the first."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.errors import DomainError

MOST = 100


@dataclass(frozen=True)
class Fault:
    """`path` is where, as `price.tiers[1].up_to`; `code` is stable, `reason` is for people."""

    path: str
    code: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class PriceInvalid(DomainError):
    """The document says no price; `faults` lists why. `field` is the path of the first fault."""

    code = "price_invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)), field=faults[0].path or None)
        self.faults = tuple(faults)


class Faults:
    """Collects what a reader finds; the first hundred are kept."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, path: str, code: str, reason: str) -> None:
        if len(self._found) < MOST:
            self._found.append(Fault(path, code, reason))

    def raise_any(self) -> None:
        """Raises PriceInvalid where anything was found."""
        if self._found:
            raise PriceInvalid(self._found)
