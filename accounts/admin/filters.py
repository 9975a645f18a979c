"""Filters of lists. A value that is not offered is refused; it never reaches the database."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter
from unfold.contrib.filters.forms import RangeDateForm

from accounts.clock import check_moment
from accounts.errors import TimeInvalid

Options = Sequence[tuple[str, str]]
Narrow = Callable[[QuerySet[Any], str], QuerySet[Any]]


def choice(
    name: str, label: str, options: Callable[[], Options], narrow: Narrow | None = None
) -> type[admin.SimpleListFilter]:
    """A filter by one of a few values of a field, or by whatever `narrow` makes of the value."""

    class Choice(DropdownFilter):  # type: ignore[misc]
        title = label
        parameter_name = name
        parameters: ClassVar = (name,)

        def lookups(self, request: HttpRequest, model_admin: Any) -> Options:
            return options()

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            if not value:
                return queryset
            if value not in {str(key) for key, _ in self.lookup_choices}:
                raise IncorrectLookupParameters(f"{label} is not {value!r}")
            return narrow(queryset, value) if narrow else queryset.filter(**{name: value})

    return Choice


def days(field: str, label: str) -> type[admin.ListFilter]:
    """A filter by calendar days, both ends included, of a moment in the reader's time zone.

    On a large table the field wants an index over it and the key.
    """
    first, last = f"{field}_from", f"{field}_to"

    class Days(admin.ListFilter):
        title = label
        template = "unfold/filters/filters_date_range.html"
        form_class = RangeDateForm
        parameters: ClassVar = (first, last)
        moment = field  # a list that is filtered by it stands in its order

        def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
            super().__init__(request, params, model, model_admin)
            self.request = request
            for name in self.parameters:
                value = params.pop(name, [""])[-1].strip()
                if value:
                    self.used_parameters[name] = value

        def has_output(self) -> bool:
            return True

        def expected_parameters(self) -> list[str | None]:
            return [first, last]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            if first in self.used_parameters:
                queryset = queryset.filter(**{f"{field}__gte": _midnight(str(self.used_parameters[first]), 0)})
            if last in self.used_parameters:
                queryset = queryset.filter(**{f"{field}__lt": _midnight(str(self.used_parameters[last]), 1)})
            return queryset

        def choices(self, changelist: Any) -> Iterator[Any]:
            data = {name: self.used_parameters.get(name) for name in self.parameters}
            yield {"request": self.request, "parameter_name": field, "form": RangeDateForm(name=field, data=data)}

    return Days


def _midnight(text: str, later: int) -> datetime:
    """The beginning of a day in the reader's time zone, or of the day after."""
    try:
        day = date.fromisoformat(text) + timedelta(days=later)
        return check_moment(timezone.make_aware(datetime.combine(day, time.min)))
    except (ValueError, OverflowError, TimeInvalid):
        raise IncorrectLookupParameters(f"{text!r} is not a day") from None
