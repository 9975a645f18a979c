"""What a caller is told of, whatever they may do there: the rest answers like what does not exist."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from accounts.callers import Caller, of_seats
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
    return rows.filter(of_seats(caller.seats.values(), organization, project))


def projects_to_use(caller: Caller) -> QuerySet[Project]:
    return reachable(Project.objects.all(), caller, project="pk")
