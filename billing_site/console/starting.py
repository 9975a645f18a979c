"""What a customer starts with a payment provider. Each route is there only while the provider in force answers it."""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import clock
from accounts.abilities import WRITE_BILLING
from accounts.api.fields import Text
from accounts.errors import DomainError
from billing_site.console.described import call
from billing_site.console.resources import ConsoleResource
from payments import registry
from payments.providers.console import Delivery, Start


class ConsolePlanChoice(serializers.Serializer[Any]):
    planId = Text(max_length=63)


class ConsoleAddOnChoice(serializers.Serializer[Any]):
    addonId = Text(max_length=63)


class ConsoleSessionChoice(serializers.Serializer[Any]):
    sessionId = Text(max_length=255)


def given(body: type[serializers.Serializer[Any]], data: Any) -> dict[str, str]:
    """The words of a body; names it does not know are passed over. Raises ValidationError."""
    read = body(data=data)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


class BoughtAddOns(ConsoleResource):
    starts = {"POST": Start.ADD_ADDON}

    @call("Buy one unit of an add-on", None, needs=WRITE_BILLING, takes=ConsoleAddOnChoice)
    def post(self, request: Request) -> Response:
        return self.start(given(ConsoleAddOnChoice, request.data), needs=WRITE_BILLING)


class BoughtAddOn(ConsoleResource):
    starts = {"DELETE": Start.REMOVE_ADDON}

    @call("Give one unit of an add-on back", None, needs=WRITE_BILLING)
    def delete(self, request: Request, addon: str) -> Response:
        return self.start(given(ConsoleAddOnChoice, {"addonId": addon}), needs=WRITE_BILLING)


class VerifyCheckout(ConsoleResource):
    """GET and POST do the same: the one exception to GET changing nothing."""

    starts = {"GET": Start.VERIFY_CHECKOUT, "HEAD": Start.VERIFY_CHECKOUT, "POST": Start.VERIFY_CHECKOUT}

    @call("Verify a checkout", None)
    def get(self, request: Request) -> Response:
        named = request.query_params.get("session_id") or request.query_params.get("sessionId")
        return self.start(given(ConsoleSessionChoice, {"sessionId": named}), needs=None)

    @call("Verify a checkout, by POST", None, takes=ConsoleSessionChoice)
    def post(self, request: Request) -> Response:
        return self.start(given(ConsoleSessionChoice, request.data), needs=None)


class CustomerPortal(ConsoleResource):
    starts = {"POST": Start.PORTAL}

    @call("Open the provider's customer portal", None, needs=WRITE_BILLING)
    def post(self, request: Request) -> Response:
        return self.start({}, needs=WRITE_BILLING)


class RawParser(BaseParser):
    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return None  # the body is read raw, for its signature


class Webhook(ConsoleResource):
    """Open as long as any provider takes events, whichever is in force. The signature says who calls."""

    authentication_classes = []
    parser_classes = [RawParser]

    def mounted(self, method: str) -> bool:
        return method == "POST" and bool(registry.event_doors())

    def perform_authentication(self, request: Request) -> None:
        """Nobody signs in here."""

    def check_throttles(self, request: Request) -> None:
        """A provider that delivers much is no nuisance."""

    @call("An event of a payment provider", None)
    def post(self, request: Request) -> Response:
        """Raw bytes with the provider's signature."""
        delivery = Delivery(request._request.body, dict(request.headers), clock.now())
        refused: DomainError | None = None
        for provider in registry.event_doors():
            take = provider.console().webhook
            try:
                if take is not None:
                    return Response({"success": True, **take(delivery)})
            except DomainError as error:
                refused = refused or error
        raise refused or Http404()
