"""Whole catalogs, for staff: drafts, what is published, and its publication."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import approvals
from accounts.abilities import READ_BILLING
from accounts.api.approval_answers import WaitingOut, answer_of
from accounts.api.fields import Body, Moment, Text
from accounts.api.naming import named
from accounts.api.operations import act, listing, reading
from accounts.api.queries import PageQuery
from accounts.api.resources import Resource
from accounts.errors import Forbidden
from quotas import catalog_publishing
from quotas.api.fields import Ref
from quotas.catalog.document import read_json
from quotas.models import CatalogState, CatalogVersion


class CatalogOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    number = serializers.IntegerField(allow_null=True, help_text="Given at publication.")
    state = serializers.ChoiceField(CatalogState.choices)
    source = serializers.CharField()  # type: ignore[assignment] # of the model
    sha256 = serializers.CharField()
    based_on = Ref(CatalogVersion.PUBLIC_PREFIX, source="based_on_id", allow_null=True)
    created_at = Moment()
    changed_at = Moment()
    published_at = Moment(allow_null=True)


class WholeCatalogOut(CatalogOut):
    document = serializers.SerializerMethodField(help_text="As `plans.yaml` has it.")

    def get_document(self, catalog: CatalogVersion) -> dict[str, Any]:
        return dict(read_json(catalog.document))


class CatalogQuery(PageQuery):
    state = serializers.ChoiceField(CatalogState.choices, required=False)


class Publish(Body):
    existing = Text(max_length=8, help_text="What becomes of the limits of those who hold a plan: keep or move.")
    reason = Text()


class Catalogs(Resource):
    @listing("List catalogs", needs=READ_BILLING, answers=CatalogOut, query=CatalogQuery)
    def get(self, state: str | None = None) -> QuerySet[CatalogVersion]:
        """For staff."""
        self.caller.require_staff("view")
        rows = CatalogVersion.objects.defer("document")
        return rows.filter(state=state) if state else rows


class OneCatalog(Resource):
    @reading("Get a catalog", needs=READ_BILLING, answers=WholeCatalogOut)
    def get(self, catalog: str) -> CatalogVersion:
        """For staff."""
        self.caller.require_staff("view")
        return named(CatalogVersion.objects.all(), catalog, what="catalog")


class PublishCatalog(Resource):
    @act("Publish a catalog", needs=READ_BILLING, takes=Publish, answers=WholeCatalogOut, also={202: WaitingOut})
    def post(self, given: dict[str, Any], *, at: datetime, catalog: str) -> Any:
        """For finance-operators. Later ones than the first may wait for a second person."""
        self.caller.require_staff("operate")
        if self.caller.user is None:
            raise Forbidden("that is done by a person")
        draft = named(CatalogVersion.objects.all(), catalog, what="catalog")
        proposal = catalog_publishing.payload(draft, given["existing"])
        maker, reason = self.caller.user, given["reason"]
        outcome = approvals.submit(catalog_publishing.ACT, proposal, maker=maker, reason=reason, at=at)
        draft.refresh_from_db()
        return answer_of(outcome, draft)
