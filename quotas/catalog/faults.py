"""Everything that is wrong with a catalog, each with the path to it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from accounts.errors import DomainError


@dataclass(frozen=True)
class Fault:
    """`path` as `plans.pro-pool.requests.cpu`; empty where the document as a whole is meant."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason

    def as_json(self) -> dict[str, str]:
        return asdict(self)


class CatalogInvalid(DomainError):
    """The document was refused whole; `faults` names everything that is wrong with it."""

    code = "catalog_invalid"
    field = "catalog"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        shown = "; ".join(str(fault) for fault in self.faults[:20])
        more = f"; and {len(self.faults) - 20} more" if len(self.faults) > 20 else ""
        super().__init__(f"{shown}{more}")
