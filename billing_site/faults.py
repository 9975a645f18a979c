"""What is answered where we are at fault: a problem under /api/, a page elsewhere; never a word about it."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.defaults import server_error as page

from accounts.api.problems import server_error as problem


def server_error(request: HttpRequest) -> HttpResponseBase:
    return problem(request) if request.path.startswith("/api/") else page(request)
