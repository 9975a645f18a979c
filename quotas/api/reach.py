"""What a caller is told of, whatever they may do there: the rest answers like what does not exist."""

from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from accounts.callers import Caller
from accounts.models import Project

Row = TypeVar("Row", bound=Model)


def reachable(
    rows: QuerySet[Row], caller: Caller, *, organization: str = "organization_id", project: str = ""
) -> QuerySet[Row]:
    """Those of whole organizations of the caller's and, where rows have a column for it, of projects they are let into.

    Without such a column, whoever belongs to some projects only is told of no row.
    """
    if caller.everywhere:
        return rows
    seats = caller.seats.values()
    wanted = Q(**{f"{organization}__in": [seat.organization_id for seat in seats if seat.project_ids is None]})
    if project:
        wanted |= Q(**{f"{project}__in": [key for seat in seats for key in seat.project_ids or ()]})
    return rows.filter(wanted)


def projects_to_use(caller: Caller) -> QuerySet[Project]:
    return reachable(Project.objects.all(), caller, project="pk")
