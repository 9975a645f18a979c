"""A page for an act: form, then preview with a one-time token, then the act, at most once.

The page holds no rules: it reads the form, shows what the room's own functions say and calls the act. What is wrong
comes back on its field; nothing is written, the token included.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import structlog
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views import View
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts import one_time_tokens
from accounts.admin.previews import Preview
from accounts.clock import now
from accounts.errors import DomainError, FormTokenUsed
from accounts.models import ApprovalRequest, User
from accounts.public_ids import encode
from accounts.request_abilities import may

log = structlog.get_logger(__name__)
Cleaned = dict[str, Any]


@dataclass(frozen=True)
class Done:
    """Where the result is shown, what is said about it, and what a program reads of it (ids, minor units)."""

    url: str
    message: str
    waiting: bool = False
    result: Mapping[str, object] = field(default_factory=dict)


def waiting(request_id: int) -> Done:
    """The result of an act that was filed for a second person."""
    url = reverse("admin:accounts_approvalrequest_change", args=[request_id])
    filed = {"approval": encode(ApprovalRequest.PUBLIC_PREFIX, request_id)}
    return Done(url, "Above the limit: filed, and waiting for a second person.", waiting=True, result=filed)


@contextmanager
def busy_is_said(act: str) -> Iterator[None]:
    """An account that another act holds for too long is a refusal like any other."""
    try:
        yield
    except OperationalError as error:
        log.warning("act_found_the_account_busy", act=act)
        raise DomainError("the account is busy; nothing was written, try again", code="busy") from error


def rehearse(act: Callable[[], object]) -> None:
    """Do an act and undo it, so that what refuses it is said beforehand; for acts that only write to the database."""
    with busy_is_said("rehearsal"), transaction.atomic():
        act()
        transaction.set_rollback(True)


def sentence(error: DomainError) -> str:
    """A refusal as people read it, with its stable code."""
    return f"{error.detail[:1].upper()}{error.detail[1:]} ({error.code})"


def text_field(label: str, *, hint: str = "", **options: Any) -> forms.CharField:
    """One line of text as typed; the act says whether it is right."""
    attributes = {"autocomplete": "off", **options.pop("attributes", {})}
    widget = UnfoldAdminTextInputWidget(attrs=attributes)
    return forms.CharField(
        label=label, help_text=hint, widget=widget, max_length=options.pop("longest", 200), **options
    )


def reason_field(hint: str = "It is kept with the act for the auditors.") -> forms.CharField:
    return forms.CharField(
        label="Reason", help_text=hint, max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


class ActPage(ABC, View):
    """One act. A subclass names it, gives the form, and says how it is previewed and performed."""

    model_admin: Any = None
    name: ClassVar[str]
    path: ClassVar[str]
    title: ClassVar[str]
    button: ClassVar[str]
    explanation: ClassVar[str] = ""
    final: ClassVar[bool] = False  # nothing undoes it: its button says so by its colour as well
    ability: ClassVar[str] = "operate"
    form_class: ClassVar[type[forms.Form]]
    fields_of_errors: ClassVar[dict[str, str]] = {}
    form_template: ClassVar[str] = "admin/acts/form.html"

    @abstractmethod
    def preview(self, cleaned: Cleaned) -> Preview:
        """What the act would do. Raises DomainError."""

    @abstractmethod
    def perform(self, cleaned: Cleaned, user: User) -> Done:
        """Do it in the caller's transaction. Raises DomainError."""

    def subject(self) -> str:
        """What the act is about, where its address names that; the page is called by it. Raises Http404."""
        return ""

    def first_values(self, request: HttpRequest) -> Cleaned:
        """What the form begins with."""
        return {name: request.GET[name] for name in self.form_class.base_fields if name in request.GET}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may(request, self.ability):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        return self._form(request, self.form_class(initial=self.first_values(request)))

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        form = self.form_class(request.POST)
        if "edit" in request.POST:
            return self._form(request, self.form_class(initial=_sent_values(form)))
        if not form.is_valid():
            return self._form(request, form, status=422)
        try:
            if "token" in request.POST:
                return self._once(request, form.cleaned_data)
            return self._preview(request, form)
        except FormTokenUsed as error:
            messages.warning(request, sentence(error))
            return self._form(request, self.form_class(initial=self.first_values(request)), status=error.status)
        except DomainError as error:
            log.warning("act_refused", act=self.name, code=error.code)
            self.refuse(form, error)
            return self._form(request, form, status=422 if error.status == 404 else error.status)

    def refuse(self, form: forms.Form, error: DomainError) -> None:
        """Say what is wrong on its field, or above the form where none is at fault."""
        name = self.fields_of_errors.get(error.field or "", error.field)
        fault = ValidationError(sentence(error), code=error.code)
        form.add_error(name if name in form.fields else None, fault)

    def _once(self, request: HttpRequest, cleaned: Cleaned) -> HttpResponse:
        """Spend the token and perform, both or neither."""
        user = cast(User, request.user)
        token = request.POST["token"]
        with busy_is_said(self.name), transaction.atomic():
            one_time_tokens.spend(token, user, self._purpose(request), at=now())
            done = self.perform(cleaned, user)
        return self.answered(request, done)

    def answered(self, request: HttpRequest, done: Done) -> HttpResponse:
        """What is shown after the act."""
        (messages.warning if done.waiting else messages.success)(request, done.message)
        return HttpResponseRedirect(done.url)

    def _purpose(self, request: HttpRequest) -> str:
        """The act and what was previewed: a token performs exactly that."""
        values = {name: request.POST.getlist(name) for name in sorted(self.form_class.base_fields)}
        text = json.dumps([request.path, values])
        return f"{self.name}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"

    def _preview(self, request: HttpRequest, form: forms.Form) -> HttpResponse:
        preview = self.preview(form.cleaned_data)
        sent = [(name, value) for name in form.fields for value in request.POST.getlist(name)]
        token = one_time_tokens.issue(cast(User, request.user), self._purpose(request))
        return self._page(request, "admin/acts/preview.html", {"preview": preview, "sent": sent, "token": token})

    def _form(self, request: HttpRequest, form: forms.Form, *, status: int = 200) -> HttpResponse:
        return self._page(request, self.form_template, {"form": form}, status=status)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        site = self.model_admin.admin_site
        title = ": ".join(filter(None, (self.title, self.subject())))
        shown = {**site.each_context(request), "title": title, "act": self, **context}
        return TemplateResponse(request, template, shown, status=status)


def _sent_values(form: forms.Form) -> Cleaned:
    """The form as it was sent, to be edited again without complaints."""
    return {name: field.widget.value_from_datadict(form.data, form.files, name) for name, field in form.fields.items()}
