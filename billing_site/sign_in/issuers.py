"""Whose OIDC log-ins are taken, from the environment: one issuer by plain variables, or several in one of JSON.

Read with the settings, so nothing of Django's or allauth's is imported here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from billing_site.environment import EnvironmentFault, flag, text, words

_KNOWN = frozenset({"id", "name", "issuer", "client_id", "client_secret", "email_domains", "sign_up"})
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class Issuer:
    """`email_domains` empty means all; `sign_up` opens a person at the first log-in of an unknown address."""

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str
    email_domains: tuple[str, ...] = ()
    sign_up: bool = True


def configured() -> list[Issuer]:
    """Raises EnvironmentFault where a variable is missing, misspelled, or names an issuer without TLS."""
    found = [*_single(), *_several()]
    if len({issuer.id for issuer in found}) != len(found):
        raise EnvironmentFault("OIDC_PROVIDERS gives the same id twice")
    return found


def providers(issuers: list[Issuer]) -> dict[str, Any]:
    """As allauth wants it. No row of the database knows an issuer or its secret."""
    return {
        "openid_connect": {
            "provider_class": "billing_site.sign_in.issuer_adapter.IssuerProvider",
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": issuer.id,
                    "name": issuer.name,
                    "client_id": issuer.client_id,
                    "secret": issuer.client_secret,
                    "settings": {
                        "server_url": issuer.issuer,
                        "email_domains": list(issuer.email_domains),
                        "sign_up": issuer.sign_up,
                    },
                }
                for issuer in issuers
            ],
        }
    }


def _single() -> Iterator[Issuer]:
    address = text("OIDC_ISSUER", "").strip()
    if address:
        given = {
            "id": text("OIDC_ID", "oidc"),
            "name": text("OIDC_NAME", "single sign-on"),
            "issuer": address,
            "client_id": text("OIDC_CLIENT_ID"),
            "client_secret": text("OIDC_CLIENT_SECRET", ""),
            "email_domains": words("OIDC_EMAIL_DOMAINS"),
            "sign_up": flag("OIDC_SIGN_UP", True),
        }
        yield _issuer("OIDC_ISSUER", given)


def _several() -> Iterator[Issuer]:
    written = text("OIDC_PROVIDERS", "").strip()
    try:
        listed = json.loads(written) if written else []
    except ValueError as error:
        raise EnvironmentFault("OIDC_PROVIDERS is not JSON") from error
    if not (isinstance(listed, list) and all(isinstance(given, dict) for given in listed)):
        raise EnvironmentFault("OIDC_PROVIDERS must be a list of objects")
    for given in listed:
        yield _issuer("OIDC_PROVIDERS", {"id": "oidc", **given})


def _issuer(variable: str, given: Mapping[str, Any]) -> Issuer:
    """A value that is wrong is named, never shown: one of them is a secret."""
    unknown = set(given) - _KNOWN
    if unknown:
        raise EnvironmentFault(f"{variable} has {', '.join(sorted(unknown))}, which nothing here reads")
    for name in ("id", "issuer", "client_id"):
        if not (isinstance(given.get(name), str) and given[name]):
            raise EnvironmentFault(f"{variable} lacks {name}")
    if not _ID.fullmatch(given["id"]):
        raise EnvironmentFault(f"{variable}: an id is of small letters, digits and hyphens")
    _require_safe(variable, given["issuer"])
    return Issuer(
        id=given["id"],
        name=str(given.get("name") or given["id"]),
        issuer=given["issuer"].rstrip("/"),
        client_id=given["client_id"],
        client_secret=str(given.get("client_secret") or ""),
        email_domains=tuple(str(domain).lower() for domain in given.get("email_domains") or ()),
        sign_up=bool(given.get("sign_up", True)),
    )


def _require_safe(variable: str, address: str) -> None:
    url = urlsplit(address)
    if url.scheme == "https" and url.hostname:
        return
    if not (url.scheme == "http" and url.hostname in _LOOPBACK):
        raise EnvironmentFault(f"{variable} must be an https:// URL (plain http:// is for this machine only)")
