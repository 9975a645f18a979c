"""Bindings: which billing account pays for which project, from when until when."""

from datetime import datetime
from typing import Any, NoReturn

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import bindings
from accounts.abilities import READ_BILLING, WRITE_BILLING
from accounts.api.billing_account_names import account_named, accounts_of
from accounts.api.fields import Moment, PublicIdOf
from accounts.api.naming import known_to, named, referred
from accounts.api.operations import act, listing, reading
from accounts.api.queries import PageQuery
from accounts.api.reasons import Reasoned, reason_of
from accounts.api.resources import Resource
from accounts.callers import Caller, visible
from accounts.errors import Conflict
from accounts.models import BillingAccount, BillingAccountBinding, BindingPhase, Organization, Project
from accounts.public_ids import encode


class BindingImmutable(Conflict):
    code = "binding_immutable"


class BindingOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    organization = serializers.SerializerMethodField()
    project = serializers.SerializerMethodField()
    billing_account = serializers.SerializerMethodField()
    phase = serializers.ChoiceField(choices=BindingPhase.choices)
    established_at = Moment(help_text="The account pays from then on.")
    superseded_at = Moment(allow_null=True, help_text="Until then.")

    def get_organization(self, binding: BillingAccountBinding) -> str:
        return encode(Organization.PUBLIC_PREFIX, binding.organization_id)

    def get_project(self, binding: BillingAccountBinding) -> str:
        return encode(Project.PUBLIC_PREFIX, binding.project_id)

    def get_billing_account(self, binding: BillingAccountBinding) -> str:
        return encode(BillingAccount.PUBLIC_PREFIX, binding.billing_account_id)


class Rebind(Reasoned):
    billing_account = PublicIdOf(BillingAccount.PUBLIC_PREFIX, help_text="Public id; Ready, of the same organization.")


class Bind(Rebind):
    project = PublicIdOf(Project.PUBLIC_PREFIX, help_text="Public id.")


class Anything(Reasoned):
    """Whatever is wanted: it is refused."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        return {}


class BindingQuery(PageQuery):
    project = serializers.CharField(required=False, help_text="Public id, or `ext:` and your own.")
    billing_account = serializers.CharField(required=False, help_text="Public id, or `ext:` and your own.")
    phase = serializers.ChoiceField(choices=BindingPhase.choices, required=False)


class Bindings(Resource):
    @listing("List bindings", needs=READ_BILLING, answers=BindingOut, query=BindingQuery)
    def get(
        self, project: str | None = None, billing_account: str | None = None, **filters: str
    ) -> QuerySet[BillingAccountBinding]:
        rows = _bindings_of(self.caller).filter(**filters)
        if project:
            rows = rows.filter(project=named(known_to(self.caller, Project.objects.all()), project, what="project"))
        if billing_account:
            rows = rows.filter(billing_account=account_named(accounts_of(self.caller), billing_account))
        return rows

    @act("Bind a project to a billing account", needs=WRITE_BILLING, takes=Bind, answers=BindingOut, status=201)
    def post(self, given: dict[str, Any], *, at: datetime) -> BillingAccountBinding:
        """The account pays for all that the project uses from now on. One that is bound is moved by a rebind."""
        project = referred(known_to(self.caller, Project.objects.all()), given["project"], field="project")
        payer = _payer(self.caller, project, given["billing_account"])
        reason = reason_of(given, self.caller)
        return bindings.bind(project, payer, actor=self.caller.actor, reason=reason, at=at)


class OneBinding(Resource):
    @reading("Get a binding", needs=READ_BILLING, answers=BindingOut)
    def get(self, binding: str) -> BillingAccountBinding:
        return named(_bindings_of(self.caller), binding, what="binding")

    @act("Change a binding: refused", needs=WRITE_BILLING, takes=Anything, answers=BindingOut)
    def patch(self, given: dict[str, Any], *, at: datetime, binding: str) -> NoReturn:
        """A binding is immutable. A project is moved by a rebind, which ends one and begins another."""
        named(_bindings_of(self.caller), binding, what="binding")
        raise BindingImmutable("spec is immutable: move the project with a rebind")


class RebindProject(Resource):
    @act(
        "Move a project to another billing account",
        needs=WRITE_BILLING,
        takes=Rebind,
        answers=BindingOut,
        status=201,
    )
    def post(self, given: dict[str, Any], *, at: datetime, project: str) -> BillingAccountBinding:
        """The old binding ends as the new one begins; usage before that moment stays with the old account."""
        found = named(known_to(self.caller, Project.objects.all()), project, what="project")
        payer = _payer(self.caller, found, given["billing_account"])
        reason = reason_of(given, self.caller)
        return bindings.rebind(found, payer, actor=self.caller.actor, reason=reason, at=at)


def _bindings_of(caller: Caller) -> QuerySet[BillingAccountBinding]:
    return visible(BillingAccountBinding.objects.all(), caller, READ_BILLING)


def _payer(caller: Caller, project: Project, key: int) -> BillingAccount:
    """Raises NotFound, Forbidden."""
    caller.require(WRITE_BILLING, project.organization_id, what="project")
    accounts = BillingAccount.objects.filter(organization=project.organization_id, deleted_at=None)
    return referred(accounts, key, field="billing_account")
