"""What every call of the console has in common: the envelope, and 404 for what is not mounted, whoever asks."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import clock
from accounts.api.resources import Resource
from accounts.models import Organization
from billing_site.console import envelope, whose
from billing_site.console.exact_json import AlwaysJSON, ExactJSON
from payments import registry
from payments.providers.console import Start, Started


class ConsoleResource(Resource):
    """`starts` are methods that are mounted only while the provider in force answers them."""

    renderer_classes = [ExactJSON]
    content_negotiation_class = AlwaysJSON
    http_method_names = ["get", "post", "put", "delete", "head"]
    starts: ClassVar[Mapping[str, Start]] = {}

    def get_exception_handler(self) -> Callable[..., Any]:
        return envelope.answer

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Without Allow, which would tell of routes that are not mounted."""
        return {}

    def mounted(self, method: str) -> bool:
        start = self.starts.get(method)
        if start is not None:
            return start in registry.active().console().starts
        return method.lower() in self.http_method_names and hasattr(self, method.lower())

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A router that is not mounted asks nobody who they are."""
        if not self.mounted(request.method or ""):
            raise Http404
        super().initial(request, *args, **kwargs)

    def organization(self, needs: str | None = None) -> Organization:
        """Which organization is asked about. Raises Denied, also where `needs` is not held at all of it."""
        return whose.organization(self.caller, self.named(), needs)

    def named(self) -> str | None:
        """The organization that the caller names; a token has only one, a person may have several."""
        return self.request.query_params.get("organization") or self.request.headers.get("X-Organization")

    def start(self, given: Mapping[str, str], *, needs: str | None) -> Response:
        """Let the provider in force begin what this method stands for."""
        organization = self.organization(needs)
        begin = registry.active().console().starts.get(self.starts[self.request.method or ""])
        if begin is None:
            raise Http404  # switched off since this request came in
        return Response({"success": True, **begin(Started(self.caller, organization, given, clock.now()))})
