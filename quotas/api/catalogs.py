"""Whole catalogs, for staff: drafts, what is published, and its publication."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.approval_answers import WaitingOut
from accounts.api.fields import Body, Moment, Text
from accounts.api.naming import named
from accounts.api.operations import act, listing, reading
from accounts.api.queries import PageQuery
from accounts.api.reasons import WithReason
from quotas import catalog_publishing
from quotas.api.fields import Document, Ref
from quotas.api.for_staff import ForStaff
from quotas.catalog.document import parse, read_json
from quotas.catalog_drafts import discard, open_draft
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


class NewCatalog(Body):
    document = Document(help_text="A whole catalog, as `plans.yaml` has it; decimals as text.")


class Publish(WithReason):
    existing = Text(max_length=8, help_text="What becomes of the limits of those who hold a plan: keep or move.")


class Catalogs(ForStaff):
    @listing("List catalogs", needs=READ_BILLING, staff="view", answers=CatalogOut, query=CatalogQuery)
    def get(self, state: str | None = None) -> QuerySet[CatalogVersion]:
        """For staff."""
        rows = CatalogVersion.objects.defer("document")
        return rows.filter(state=state) if state else rows

    @act(
        "Open a draft of the catalog",
        needs=READ_BILLING,
        staff="operate",
        takes=NewCatalog,
        answers=WholeCatalogOut,
        status=201,
    )
    def post(self, given: dict[str, Any], *, at: datetime) -> CatalogVersion:
        """Taken whole, or refused with every fault. For finance-operators."""
        by = self.by("", at)
        return open_draft(parse(given["document"]), source="api", actor=by["actor"], at=at)


class OneCatalog(ForStaff):
    @reading("Get a catalog", needs=READ_BILLING, staff="view", answers=WholeCatalogOut)
    def get(self, catalog: str) -> CatalogVersion:
        """For staff."""
        return named(CatalogVersion.objects.all(), catalog, what="catalog")


class PublishCatalog(ForStaff):
    @act(
        "Publish a catalog",
        needs=READ_BILLING,
        staff="operate",
        takes=Publish,
        answers=WholeCatalogOut,
        also={202: WaitingOut},
    )
    def post(self, given: dict[str, Any], *, at: datetime, catalog: str) -> Any:
        """For finance-operators. Later ones than the first may wait for a second person."""
        draft = named(CatalogVersion.objects.all(), catalog, what="catalog")
        proposal = catalog_publishing.payload(draft, given["existing"])
        return self.propose(catalog_publishing.ACT, proposal, draft, reason=given["reason"], at=at)


class DiscardCatalog(ForStaff):
    @act(
        "Discard a draft of the catalog", needs=READ_BILLING, staff="operate", takes=WithReason, answers=WholeCatalogOut
    )
    def post(self, given: dict[str, Any], *, at: datetime, catalog: str) -> CatalogVersion:
        """For finance-operators."""
        found = named(CatalogVersion.objects.all(), catalog, what="catalog")
        return discard(found.pk, **self.by(given["reason"], at))
