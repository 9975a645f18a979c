"""Set and remove a project's own quota: what the project may use before and after is shown first."""

from collections.abc import Callable
from datetime import datetime

from django import forms
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.previews import Fact, Preview
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.models import Project, User
from quotas.admin.limit_words import quantity, title
from quotas.dimensions import OF_A_PROJECT
from quotas.models import Limit, LimitKind
from quotas.project_quotas import effective_quota, remove_project_quota, set_project_quota

_FIELDS = {
    "cpu": "requests.cpu",
    "memory": "requests.memory",
    "storage": "requests.storage",
    "limits_cpu": "limits.cpu",
    "limits_memory": "limits.memory",
    "pods": "pods",
    "load_balancers": "services.loadbalancers",
}
_NO_OWN = "none of its own"


class ProjectQuotaForm(forms.Form):
    cpu = text_field("CPU", required=False, hint="As Kubernetes writes it: 4 or 500m. Empty: the organization's.")
    memory = text_field("Memory", required=False, hint="16Gi")
    storage = text_field("Storage", required=False, hint="100Gi")
    limits_cpu = text_field("CPU limits", required=False)
    limits_memory = text_field("Memory limits", required=False)
    pods = text_field("Pods", required=False, hint="A whole number.")
    load_balancers = text_field("Load balancers", required=False, hint="A whole number.")
    reason = reason_field()


class ReasonForm(forms.Form):
    reason = reason_field()


class OfProject(ActPage):
    """An act on the quota of the project that the address names."""

    def subject(self) -> str:
        project = self.project()
        return f"{project.name} of {project.organization.name}, {project.public_id}"

    def project(self) -> Project:
        found = Project.objects.select_related("organization").filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def changes(self, cleaned: Cleaned, act: Callable[[], object]) -> Preview:
        """Do it, look, and undo it."""
        project = self.project()
        before, after = _seen(project), list[Fact]()

        def look() -> None:
            act()
            after.extend((name, _change(before.get(name), value)) for name, value in _seen(project).items())

        rehearse(look)
        names = ("Project", f"{project.name} of {project.organization.name} ({project.public_id})")
        return Preview([names, *after, ("Reason", cleaned["reason"])])


class SetProjectQuota(OfProject):
    name = "setquota"
    path = "project/<int:pk>/set/"
    title = "Set the project's own quota"
    button = "Set it"
    explanation = "Tighter than the organization's limits, never wider: what holds is the smaller of the two."
    form_class = ProjectQuotaForm
    fields_of_errors = {dimension: name for name, dimension in _FIELDS.items()}

    def first_values(self, request: HttpRequest) -> Cleaned:
        own = Limit.objects.filter(project=self.kwargs["pk"], kind=LimitKind.PROJECT_QUOTA).first()
        held = own.values if own and self.kwargs["pk"] < 2**63 else {}
        return {name: held.get(dimension, "") for name, dimension in _FIELDS.items()} | super().first_values(request)

    def preview(self, cleaned: Cleaned) -> Preview:
        at = now()
        return self.changes(cleaned, lambda: self._set(cleaned, REHEARSAL, at))

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        limit = self._set(cleaned, person(user), now())
        return _done(self.project(), "The project has its own quota.", limit.values)

    def _set(self, cleaned: Cleaned, actor: Actor, at: datetime) -> Limit:
        values = {dimension: cleaned[name].strip() for name, dimension in _FIELDS.items() if cleaned[name].strip()}
        return set_project_quota(self.project(), values, actor=actor, reason=cleaned["reason"], at=at)


class RemoveProjectQuota(OfProject):
    name = "removequota"
    path = "project/<int:pk>/remove/"
    title = "Remove the project's own quota"
    button = "Remove it"
    explanation = "The organization's limits alone hold for the project then."
    form_class = ReasonForm

    def preview(self, cleaned: Cleaned) -> Preview:
        at = now()
        return self.changes(cleaned, lambda: self._remove(cleaned, REHEARSAL, at))

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        self._remove(cleaned, person(user), now())
        return _done(self.project(), "The organization's limits alone hold for it.", None)

    def _remove(self, cleaned: Cleaned, actor: Actor, at: datetime) -> None:
        remove_project_quota(self.project(), actor=actor, reason=cleaned["reason"], at=at)


def _seen(project: Project) -> dict[str, str]:
    own = Limit.objects.filter(project=project, kind=LimitKind.PROJECT_QUOTA).first()
    effective = effective_quota(project)
    written = ", ".join(f"{name} {value}" for name, value in own.values.items()) if own else _NO_OWN
    return {"Own quota": written, **{title(name): quantity(name, effective.get(name)) for name in OF_A_PROJECT}}


def _change(before: str | None, after: str) -> object:
    return after if before == after else format_html("{} → {}", before, after)


def _done(project: Project, message: str, quota: object) -> Done:
    url = reverse("admin:quotas_limit_of", args=[project.organization_id])
    return Done(url, message, result={"project": project.public_id, "quota": quota})
