"""What is answered where we are at fault: a problem under /api/, a page elsewhere; never a word about it.

A database that cannot be reached is no fault of the request's: it is told to come back.
"""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.views.defaults import server_error as page

from accounts.api import problems

_AGAIN_SECONDS = "5"
# Connections that were refused carry no state; those that broke or were ended carry one of these classes.
_GONE = ("08", "57P")


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Called while the exception is being handled."""
    away = database_is_away(sys.exc_info()[1])
    if request.path.startswith("/api/"):
        response: HttpResponseBase = problems.unreachable() if away else problems.server_error(request)
    else:
        response = HttpResponse(render_to_string("503.html"), status=503) if away else page(request)
    if away:
        response.headers["Retry-After"] = _AGAIN_SECONDS
    return response


def database_is_away(error: BaseException | None) -> bool:
    """Whether it is the connection that failed, and not the statement."""
    if not isinstance(error, OperationalError):
        return isinstance(error, InterfaceError)
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(_GONE)
