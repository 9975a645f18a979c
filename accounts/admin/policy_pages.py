"""Pages to read: the policies of a subject, what is in force for anything and why, and the history of a value."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views import View

from accounts.admin.act_pages import sentence
from accounts.admin.policy_forms import ChooseForm
from accounts.admin.policy_history import changes_of
from accounts.admin.policy_lines import grouped, lines_of
from accounts.admin.policy_links import link, place_link
from accounts.errors import DomainError, NotFound
from accounts.policy_chain import chains_of
from accounts.policy_keys import known
from accounts.policy_scopes import Subject
from accounts.policy_subjects import find
from accounts.public_ids import decode
from accounts.request_abilities import may

_PAGES = {"org": "accounts_organization", "prj": "accounts_project", "ba": "accounts_billingaccount"}


class PolicyPage(ABC, View):
    """A page about the policies of a subject, named in the query by its public id."""

    model_admin: Any = None
    name: ClassVar[str]
    path: ClassVar[str]
    template: ClassVar[str]
    http_method_names = ["get", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may(request, "view"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.show(request, find(request.GET.get("subject", "")))
        except DomainError as error:
            return self.refuse(request, error)

    @abstractmethod
    def show(self, request: HttpRequest, subject: Subject) -> HttpResponse:
        """The page about a subject. Raises DomainError."""

    def refuse(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        """The search box again, with what is wrong."""
        context = {"title": "Policies", "refused": sentence(error), "asked": request.GET.get("subject", "")}
        return self.page(request, context, template="admin/policies/refused.html", status=error.status)

    def page(
        self, request: HttpRequest, context: dict[str, Any], *, template: str = "", status: int = 200
    ) -> HttpResponse:
        shown = {
            **self.model_admin.admin_site.each_context(request),
            "operates": may(request, "operate"),
            "everyone_url": link("of"),
            "of_url": reverse("admin:accounts_policyvalue_of"),
            "effective_url": reverse("admin:accounts_policyvalue_effective"),
            **context,
        }
        return TemplateResponse(request, template or self.template, shown, status=status)


class PoliciesOf(PolicyPage):
    """Every key that may be set for one subject: in force, from where, and what is set here."""

    name = "of"
    path = "of/"
    template = "admin/policies/of.html"

    def show(self, request: HttpRequest, subject: Subject) -> HttpResponse:
        if subject.own is None:
            return HttpResponseRedirect(link("effective", subject.public_id))
        chains = [chain for chain in chains_of(subject) if subject.own[0] in chain.key.scopes]
        return self.page(
            request,
            {
                "title": f"Policies of {subject}",
                "subject": subject,
                "subject_url": _subject_url(subject),
                "groups": grouped(lines_of(chains)),
                "effective_here": link("effective", subject.public_id),
            },
        )


class EffectiveValues(PolicyPage):
    """What is in force for an organization, project, person, account or allocation, and which scopes were asked."""

    name = "effective"
    path = "effective/"
    template = "admin/policies/effective.html"

    def show(self, request: HttpRequest, subject: Subject) -> HttpResponse:
        return self.page(
            request,
            {
                "title": f"In force for {subject}",
                "subject": subject,
                "subject_url": _subject_url(subject),
                "groups": grouped(lines_of(chains_of(subject))),
                "policies_here": link("of", subject.public_id) if subject.own else "",
            },
        )


class Changes(PolicyPage):
    """Who set a key for a subject, when and why: the old value and the new one, newest first."""

    name = "changes"
    path = "changes/"
    template = "admin/policies/changes.html"

    def show(self, request: HttpRequest, subject: Subject) -> HttpResponse:
        if "key" not in request.GET:
            context = {"title": "History of a policy", "form": ChooseForm(initial=request.GET.dict())}
            return self.page(request, context, template="admin/policies/choose.html")
        key = known(request.GET["key"])
        if subject.own is None or subject.own[0] not in key.scopes:
            raise NotFound(f"{key.name} is never set for a {subject.word}", field="subject")
        changes, older = changes_of(key, subject, request.GET.get("before", ""))
        return self.page(
            request,
            {
                "title": f"History of {key.name}",
                "key": key,
                "subject": subject,
                "place_url": place_link(subject, key),
                "changes": changes,
                "older_url": f"{link('changes', subject.public_id, key.name)}&before={older}" if older else "",
                "newest_url": link("changes", subject.public_id, key.name) if request.GET.get("before") else "",
            },
        )


def _subject_url(subject: Subject) -> str:
    prefix = subject.public_id.partition("_")[0]
    key = decode(prefix, subject.public_id)
    return reverse(f"admin:{_PAGES[prefix]}_change", args=[key]) if key and prefix in _PAGES else ""
