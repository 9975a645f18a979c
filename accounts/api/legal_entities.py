"""Legal entities: the companies of ours that sell, named when an account is opened."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.naming import named
from accounts.api.operations import listing, reading
from accounts.api.resources import Resource
from accounts.models import LegalEntity


class LegalEntityOut(serializers.Serializer[Any]):
    """Customers read the id and the name; the rest is null for them."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    country = serializers.CharField(allow_null=True)
    base_currency = serializers.CharField(allow_null=True)
    time_zone = serializers.CharField(allow_null=True)

    def to_representation(self, instance: LegalEntity) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if not self.context["caller"].staff:
            shown |= dict.fromkeys(("country", "base_currency", "time_zone"))
        return shown


class LegalEntities(Resource):
    @listing("List legal entities", needs=READ_BILLING, answers=LegalEntityOut, newest_first=False)
    def get(self) -> QuerySet[LegalEntity]:
        return LegalEntity.objects.all()


class OneLegalEntity(Resource):
    @reading("Get a legal entity", needs=READ_BILLING, answers=LegalEntityOut)
    def get(self, legal_entity: str) -> LegalEntity:
        return named(LegalEntity.objects.all(), legal_entity, what="legal entity")
