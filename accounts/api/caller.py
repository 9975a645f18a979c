"""Who the caller is, as far as we know: the first thing an integrator asks."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import described
from accounts.api.queries import NoQuery
from accounts.api.resources import Resource
from accounts.models import Organization, Project, User
from accounts.public_ids import encode


class SeatOut(serializers.Serializer[Any]):
    """What the caller may do at one organization."""

    organization = serializers.CharField()
    role = serializers.CharField(allow_blank=True)
    abilities = serializers.ListField(child=serializers.CharField())
    projects = serializers.ListField(child=serializers.CharField(), allow_null=True, help_text="Null for all of them.")


class CallerOut(serializers.Serializer[Any]):
    user = serializers.CharField(allow_null=True, help_text="Null for a key.")
    seats = SeatOut(many=True)
    everywhere = serializers.ListField(child=serializers.CharField(), help_text="Abilities at every organization.")


class Me(Resource):
    @extend_schema(
        summary="Who is calling",
        description="The caller's abilities, organization by organization, as they are now.",
        responses=described.answers({200: CallerOut}, writes=False),
    )
    def get(self, request: Request) -> Response:
        NoQuery.read(request.query_params)
        caller = self.caller
        seats = [
            {
                "organization": encode(Organization.PUBLIC_PREFIX, seat.organization_id),
                "role": seat.role,
                "abilities": sorted(seat.abilities),
                "projects": None
                if seat.project_ids is None
                else [encode(Project.PUBLIC_PREFIX, key) for key in sorted(seat.project_ids)],
            }
            for seat in caller.seats.values()
        ]
        user = encode(User.PUBLIC_PREFIX, caller.user.pk) if caller.user else None
        return Response(CallerOut({"user": user, "seats": seats, "everywhere": sorted(caller.everywhere)}).data)
