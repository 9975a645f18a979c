"""Features of an organization: what it was granted beyond what everyone has. Staff grant and revoke."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import features
from accounts.abilities import READ_BILLING, WRITE_BILLING
from accounts.api.fields import Moment, Text
from accounts.api.operations import act, listing
from accounts.api.organizations import organization_named
from accounts.api.reasons import WithReason
from accounts.api.resources import Resource
from accounts.models import FeatureGrant


class FeatureGrantOut(serializers.Serializer[Any]):
    feature = serializers.CharField()
    granted_at = Moment()
    revoked_at = Moment(allow_null=True)


class GrantFeature(WithReason):
    feature = Text(max_length=64)


class Features(Resource):
    @listing("List the features an organization was granted", needs=READ_BILLING, answers=FeatureGrantOut)
    def get(self, organization: str) -> QuerySet[FeatureGrant]:
        found = organization_named(self.caller, organization)
        self.caller.require(READ_BILLING, found.pk, what="organization")
        return FeatureGrant.objects.filter(organization=found)

    @act(
        "Grant a feature", needs=WRITE_BILLING, staff="operate", takes=GrantFeature, answers=FeatureGrantOut, status=201
    )
    def post(self, given: dict[str, Any], *, at: datetime, organization: str) -> FeatureGrant:
        """For staff."""
        found = organization_named(self.caller, organization)
        return features.grant(found.pk, given["feature"], actor=self.caller.actor, reason=given["reason"], at=at)


class RevokeFeature(Resource):
    @act("Take a feature back", needs=WRITE_BILLING, staff="operate", takes=WithReason, answers=FeatureGrantOut)
    def post(self, given: dict[str, Any], *, at: datetime, organization: str, feature: str) -> FeatureGrant:
        """For staff. What was opened under it stays."""
        found = organization_named(self.caller, organization)
        return features.revoke(found.pk, feature, actor=self.caller.actor, reason=given["reason"], at=at)
