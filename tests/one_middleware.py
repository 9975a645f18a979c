"""Middleware is loaded once for all test clients of a process, as a web process does, and anew when settings change.

Each client would load it for itself, and WhiteNoise then look through all static files again.
"""

from typing import Any

from django.core.handlers.base import BaseHandler
from django.core.signals import setting_changed
from django.test.client import ClientHandler

_loads = BaseHandler.load_middleware
_LOADED = ("_view_middleware", "_template_response_middleware", "_exception_middleware", "_middleware_chain")
_kept: dict[str, Any] = {}


def load_middleware(handler: ClientHandler, is_async: bool = False) -> None:
    """In the place of a client's own."""
    if not _kept:
        _loads(handler, is_async)
        _kept.update({name: getattr(handler, name) for name in _LOADED})
    vars(handler).update(_kept)


def forget(**_: Any) -> None:
    _kept.clear()


setting_changed.connect(forget)
