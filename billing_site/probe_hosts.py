"""By which names the site may be asked for: those of ALLOWED_HOSTS, but for probes.

A probe or a scrape comes by the address of one pod or machine, which no list can name beforehand; nothing that it is
answered depends on the name it asked for.
"""

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware

from billing_site.request_context import PROBES


class ProbesByAnyHostMiddleware(CommonMiddleware):
    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path_info in PROBES else super().process_request(request)
