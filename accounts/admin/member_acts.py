"""Let people into an organization and its projects, give them another role, take them out."""

from django import forms
from django.http import Http404
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import memberships
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.previews import Fact, Preview
from accounts.admin.within import REHEARSAL, WithinOrganization
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.errors import NotFound
from accounts.models import Membership, OrganizationRole, Project, User
from accounts.owners import find
from accounts.personal_data import masked_email
from accounts.public_ids import decode


def _role() -> forms.ChoiceField:
    listed = [(role, role) for role in OrganizationRole.values]
    hint = "org-admin does everything; project-user works in the projects they are let into; guest sees nothing."
    return forms.ChoiceField(label="Role", choices=listed, help_text=hint, widget=UnfoldAdminSelectWidget())


class MemberForm(forms.Form):
    email = text_field("E-mail", longest=254, hint="The address of a person who is here already.")
    role = _role()
    reason = reason_field()


class RoleForm(forms.Form):
    role = _role()
    reason = reason_field()


class ProjectForm(forms.Form):
    project = text_field("Project", longest=40, hint="Its id, prj_…")
    reason = reason_field()


class ReasonForm(forms.Form):
    reason = reason_field()


class AddMember(WithinOrganization):
    name = "member"
    path = "<int:pk>/add-member/"
    title = "Let a person in"
    button = "Let them in"
    explanation = "Somebody who is here already. Who was let in before gets their place back, with the role given here."
    form_class = MemberForm

    def preview(self, cleaned: Cleaned) -> Preview:
        organization, user = self.organization(), _person(cleaned["email"])
        rehearse(lambda: self._add(cleaned, REHEARSAL))
        facts: list[Fact] = [("Organization", f"{organization.name} ({organization.public_id})")]
        facts += [("Person", f"{masked_email(user)} ({user.public_id})"), ("Role", cleaned["role"])]
        return Preview([*facts, ("Reason", cleaned["reason"])])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        member = self._add(cleaned, person(user))
        url = reverse("admin:accounts_membership_change", args=[member.pk])
        return Done(url, "They are in.", result={"user": member.user.public_id, "role": member.role})

    def _add(self, cleaned: Cleaned, actor: Actor) -> Membership:
        user, reason = _person(cleaned["email"]), cleaned["reason"]
        return memberships.add(self.organization().pk, user, cleaned["role"], actor=actor, reason=reason, at=now())


class OnMember(ActPage):
    def member(self) -> Membership:
        found = Membership.objects.select_related("user", "organization").filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def subject(self) -> str:
        return f"{self.member().user.public_id} in {self.member().organization.name}"

    def facts(self) -> list[Fact]:
        member = self.member()
        organization = member.organization
        return [
            ("Organization", f"{organization.name} ({organization.public_id})"),
            ("Member", f"{masked_email(member.user)} ({member.user.public_id})"),
            ("Role now", member.role),
        ]

    def done(self, message: str, **result: str) -> Done:
        member = self.member()
        url = reverse("admin:accounts_membership_change", args=[member.pk])
        named = {"organization": member.organization.public_id, "user": member.user.public_id}
        return Done(url, message, result={**named, **result})


class ChangeRole(OnMember):
    name = "role"
    path = "<int:pk>/role/"
    title = "Change the role"
    button = "Change it"
    explanation = "In force from the next request on. A token that claims less still gets less."
    form_class = RoleForm

    def preview(self, cleaned: Cleaned) -> Preview:
        rehearse(lambda: self._change(cleaned, REHEARSAL))
        return Preview([*self.facts(), ("Role afterwards", cleaned["role"]), ("Reason", cleaned["reason"])])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        self._change(cleaned, person(user))
        return self.done("The role is changed.", role=cleaned["role"])

    def _change(self, cleaned: Cleaned, actor: Actor) -> None:
        key, role = self.member().pk, cleaned["role"]
        memberships.change_role(key, role, actor=actor, reason=cleaned["reason"], at=now())


class WithdrawMember(OnMember):
    name = "withdraw"
    path = "<int:pk>/withdraw/"
    title = "Take the membership back"
    button = "Take it back"
    explanation = "They are refused from the next request on, whatever their token claims, until they are let in again."
    form_class = ReasonForm

    def preview(self, cleaned: Cleaned) -> Preview:
        rehearse(lambda: self._withdraw(cleaned, REHEARSAL))
        return Preview([*self.facts(), ("Reason", cleaned["reason"])])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        self._withdraw(cleaned, person(user))
        return self.done("They are out.")

    def _withdraw(self, cleaned: Cleaned, actor: Actor) -> None:
        memberships.withdraw(self.member().pk, actor=actor, reason=cleaned["reason"], at=now())


class LetIn(OnMember):
    name = "letin"
    path = "<int:pk>/let-in/"
    title = "Let into a project"
    button = "Let them in"
    explanation = "It matters to project-users; other roles reach every project or none."
    form_class = ProjectForm

    def preview(self, cleaned: Cleaned) -> Preview:
        rehearse(lambda: self._move(cleaned, REHEARSAL))
        project = _project(cleaned["project"])
        named = ("Project", f"{project.name} ({project.public_id})")
        return Preview([*self.facts(), named, ("Reason", cleaned["reason"])])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        self._move(cleaned, person(user))
        return self.done("They are in the project.", project=cleaned["project"])

    def _move(self, cleaned: Cleaned, actor: Actor) -> None:
        key, reason = _project(cleaned["project"]).pk, cleaned["reason"]
        memberships.let_in(self.member().pk, key, actor=actor, reason=reason, at=now())


class LetOut(LetIn):
    name = "letout"
    path = "<int:pk>/let-out/"
    title = "Take a project from them"
    button = "Take it from them"
    explanation = "In force from the next request on, whatever their token claims."

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        self._move(cleaned, person(user))
        return self.done("They are out of the project.", project=cleaned["project"])

    def _move(self, cleaned: Cleaned, actor: Actor) -> None:
        key, reason = _project(cleaned["project"]).pk, cleaned["reason"]
        memberships.let_out(self.member().pk, key, actor=actor, reason=reason, at=now())


def _person(email: str) -> User:
    """Raises EmailInvalid, NotFound."""
    found = find(email, field="email")
    if found is None:
        raise NotFound("nobody of that address is here", field="email")
    return found


def _project(public_id: str) -> Project:
    found = Project.objects.filter(pk=decode(Project.PUBLIC_PREFIX, public_id.strip()) or 0).first()
    if found is None:
        raise NotFound("no such project", field="project")
    return found
