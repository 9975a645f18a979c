"""Who calls, and what they may do where: a person or a key, at one organization, at several, or at all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from accounts.abilities import EVERY
from accounts.audit import Actor
from accounts.errors import Forbidden, NotFound
from accounts.models import User

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Seat:
    """What a caller may do at one organization; `project_ids` None stands for every project of it."""

    organization_id: int
    abilities: frozenset[str]
    project_ids: frozenset[int] | None = None
    role: str = ""  # a person's; a key has none


@dataclass(frozen=True)
class Caller:
    """Made anew for each request, from rows: what was taken away a moment ago is gone."""

    actor: Actor
    bucket: str  # whose requests are counted together
    user: User | None = None  # a key has none
    seats: Mapping[int, Seat] = field(default_factory=dict)  # by organization
    everywhere: frozenset[str] = frozenset()  # abilities at every organization: of staff and of the platform's keys
    staff: frozenset[str] = frozenset()  # abilities of staff, as in staff_roles

    def may(self, ability: str, organization_id: int, project_id: int | None = None) -> bool:
        """Whether the ability is held at the organization; at one of its projects where `project_id` names it,
        else at all of them."""
        _known(ability)
        if ability in self.everywhere:
            return True
        seat = self.seats.get(organization_id)
        if seat is None or ability not in seat.abilities:
            return False
        return seat.project_ids is None or project_id in seat.project_ids

    def may_anywhere(self, ability: str) -> bool:
        """Whether the ability is held at any organization, be it at one project only."""
        _known(ability)
        return ability in self.everywhere or any(ability in seat.abilities for seat in self.seats.values())

    def sees(self, organization_id: int) -> bool:
        """Whether the organization exists as far as the caller is told."""
        return bool(self.everywhere) or organization_id in self.seats

    def require(self, ability: str, organization_id: int, project_id: int | None = None, *, what: str) -> None:
        """Raises NotFound where the organization is foreign, exactly as for what does not exist; Forbidden else."""
        if self.may(ability, organization_id, project_id):
            return
        seat = self.seats.get(organization_id)
        hidden = seat is not None and project_id is not None and not _reaches(seat, project_id)
        if hidden or not self.sees(organization_id):
            raise NotFound(f"no such {what}")
        raise Forbidden(f"that needs {ability}")

    def require_everywhere(self, ability: str) -> None:
        """Raises Forbidden unless it is held at every organization: by staff, or by a key of the platform's."""
        _known(ability)
        if ability not in self.everywhere:
            raise Forbidden(f"that needs {ability} at every organization")

    def require_staff(self, ability: str) -> None:
        """Raises Forbidden unless a member of staff with that ability calls."""
        if ability not in self.staff:
            raise Forbidden(f"that is for our staff ({ability})")

    def person(self) -> User:
        """Whoever calls. Raises Forbidden for a key: some acts are people's."""
        if self.user is None:
            raise Forbidden("that is for people, not for keys")
        return self.user


def visible(
    rows: QuerySet[Row], caller: Caller, ability: str, *, organization: str = "organization_id", project: str = ""
) -> QuerySet[Row]:
    """Those of `rows` that the caller may see with an ability. `organization` and `project` are their columns.

    Rows without a column for projects are whole organizations' business: a seat at some projects sees none of them.
    """
    _known(ability)
    if ability in caller.everywhere:
        return rows
    return rows.filter(
        of_seats((seat for seat in caller.seats.values() if ability in seat.abilities), organization, project)
    )


def of_seats(seats: Iterable[Seat], organization: str, project: str) -> Q:
    """Rows of whole organizations and, where there is a column for it, of the projects that seats reach."""
    whole: list[int] = []
    some: set[int] = set()
    for seat in seats:
        if seat.project_ids is None:
            whole.append(seat.organization_id)
        elif project:
            some |= seat.project_ids
    wanted = Q(**{f"{organization}__in": whole})
    return wanted | Q(**{f"{project}__in": some}) if some else wanted


def _reaches(seat: Seat, project_id: int) -> bool:
    return seat.project_ids is None or project_id in seat.project_ids


def _known(ability: str) -> None:
    if ability not in EVERY:
        raise ValueError(f"no ability is called {ability!r}")
