"""Any list of the back office as CSV: as it is filtered, whole, streamed; that somebody took it is kept."""

from typing import Any, cast

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase
from django.utils.text import slugify
from django.views import View

from accounts.admin.csv_export import download, lines_of
from accounts.admin.saved_filters import offered_by
from accounts.audit import person, record
from accounts.clock import now
from accounts.models import User
from accounts.personal_data import masked_term


class ExportList(View):
    model_admin: Any = None
    name = "export"
    path = "export.csv"
    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if not self.model_admin.has_view_permission(request):
            raise PermissionDenied
        try:
            change_list = self.model_admin.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseBadRequest("a filter of this list has a value that is not offered")
        header, rows = self.model_admin.csv(change_list, request)
        self._keep(request)
        name = slugify(str(self.model_admin.opts.verbose_name_plural))
        return download(f"{name}.csv", lines_of(header, rows))

    def _keep(self, request: HttpRequest) -> None:
        """Who took which list, with which filters; a search for a person is kept masked."""
        filters = {name: request.GET[name] for name in sorted(offered_by(self.model_admin, request) & set(request.GET))}
        if "q" in filters:
            term = filters["q"].replace("\x00", "")
            filters["q"] = f"{term[:1]}***" if self.model_admin.lists_people else masked_term(term)[:200]
        taken = {"list": self.model_admin.list_name, "filters": filters, "people": self.model_admin.lists_people}
        record(person(cast(User, request.user)), "export", subject=("list", None), at=now(), after=taken)
