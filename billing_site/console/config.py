"""What the console shows at all, and whether we are well."""

from typing import Any

from django.db import connection
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.console import upstream
from billing_site.console.described import call
from billing_site.console.envelope import success
from billing_site.console.resources import ConsoleResource
from payments import registry
from payments.providers.console import Start


class ConsoleFeaturesOut(serializers.Serializer[Any]):
    quotas = serializers.BooleanField()
    plans = serializers.BooleanField()
    checkout = serializers.BooleanField()
    portal = serializers.BooleanField()
    webhooks = serializers.BooleanField()
    addons = serializers.BooleanField()


class ConsoleConfigOut(serializers.Serializer[Any]):
    provider = serializers.ChoiceField(["none", "stripe", "whmcs"])
    features = ConsoleFeaturesOut()
    sandbox = serializers.BooleanField(required=False, help_text="There where no real money moves.")


class ConsoleHealthOut(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["healthy"])
    database = serializers.ChoiceField(["ok"])
    cluster = serializers.ChoiceField(["ok", "none"])


class Config(ConsoleResource):
    @call("Active provider and feature flags", ConsoleConfigOut, key="config")
    def get(self, request: Request) -> Response:
        """The provider in force, as it is known to consoles; its features are the routes that are mounted now."""
        shown = registry.active().console()
        features = {
            "quotas": True,
            "plans": True,
            "checkout": Start.SUBSCRIBE in shown.starts,
            "portal": Start.PORTAL in shown.starts,
            "webhooks": shown.webhook is not None,
            "addons": Start.ADD_ADDON in shown.starts,
        }
        sandbox = {"sandbox": True} if shown.sandbox else {}
        return success(ConsoleConfigOut({"provider": shown.word, "features": features, **sandbox}).data, key="config")


class Health(ConsoleResource):
    @call("Service health check", ConsoleHealthOut)
    def get(self, request: Request) -> Response:
        """503 where the database, or the cluster where there is one, does not answer."""
        connection.ensure_connection()
        cluster = "ok" if upstream.check() else "none"
        return success(ConsoleHealthOut({"status": "healthy", "database": "ok", "cluster": cluster}).data)
