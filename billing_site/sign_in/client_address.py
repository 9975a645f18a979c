"""Where a request comes from, for counting: the peer, or what a counted proxy of ours says it heard."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"  # a unix socket has no peer; all such requests are counted together


def client_address(request: HttpRequest) -> str:
    """With N trusted proxies, the Nth address from the right of X-Forwarded-For: what stands left of it is hearsay."""
    proxies: int = settings.TRUSTED_PROXIES
    heard = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if proxies and len(heard) >= proxies and _is_address(heard[-proxies]):
        return heard[-proxies]
    return request.META.get("REMOTE_ADDR") or UNKNOWN


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
