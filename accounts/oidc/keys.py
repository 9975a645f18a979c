"""The public keys of an issuer, kept by each process. A token's `kid` only chooses among them.

They are fetched with no transaction open, by address of the issuer's row alone; what a token says about where keys are
(`jku`, `x5u`, `jwk`) is never read.
"""

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from accounts.errors import DomainError

log = structlog.stdlib.get_logger("accounts.oidc")

FRESH_SECONDS = 300  # a key that its issuer took back is refused after this
KEPT_SECONDS = 3600  # while the issuer cannot be reached, what was fetched serves this long
AGAIN_SECONDS = 30  # between two fetches, whatever tokens say
TIMEOUT_SECONDS = 3
LONGEST_SET = 64 * 1024
MOST_KEYS = 50
_ALGORITHMS = {"RSA": ("RS256", "PS256"), "EC": ("ES256",), "OKP": ("EdDSA",)}  # what a kind of key may verify
ALGORITHMS = tuple(name for names in _ALGORITHMS.values() for name in names)


class IssuerUnreachable(DomainError):
    code = "issuer_unreachable"
    status = 503
    retryable = True


class KeysAddressInvalid(DomainError):
    code = "jwks_uri_invalid"
    field = "jwks_uri"


@dataclass
class _Kept:
    keys: Mapping[tuple[str, str], PyJWK]  # by id and algorithm
    fetched: float  # monotonic; when they were last had
    tried: float


_kept: dict[str, _Kept] = {}
_fetching: dict[str, threading.Lock] = {}


def key_of(jwks_uri: str, kid: str, algorithm: str) -> PyJWK | None:
    """The issuer's key of that id for an algorithm, fetched where it is not known. Raises IssuerUnreachable."""
    kept = _kept.get(jwks_uri)
    if kept is None or (kid, algorithm) not in kept.keys or _age(kept.fetched) > FRESH_SECONDS:
        kept = _again(jwks_uri)
    if not kept.keys or _age(kept.fetched) > KEPT_SECONDS:
        raise IssuerUnreachable("the keys of the token's issuer cannot be read now; try again")
    return kept.keys.get((kid, algorithm))


def forget() -> None:
    """Drop what is kept, as a new process begins."""
    _kept.clear()


def check_address(text: str) -> str:
    """An https address, or http at this very machine. Raises KeysAddressInvalid."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    plain = parts.scheme == "http" and _is_loopback(parts.hostname or "")
    fine = (parts.scheme == "https" or plain) and parts.hostname and port != 0 and parts.username is None
    if not fine or len(text) > 500 or not text.isascii() or not text.isprintable() or " " in text:
        raise KeysAddressInvalid("give an https address (http only at this machine itself)")
    return text


def _again(jwks_uri: str) -> _Kept:
    """Fetch, one thread at a time and not more often than AGAIN_SECONDS; what was had before outlives a failure."""
    with _fetching.setdefault(jwks_uri, threading.Lock()):
        kept = _kept.get(jwks_uri)
        if kept is not None and _age(kept.tried) < AGAIN_SECONDS:
            return kept
        tried = time.monotonic()
        try:
            found = _Kept(_read(_fetch(check_address(jwks_uri))), time.monotonic(), tried)
        except (OSError, HTTPException, ValueError, RecursionError, DomainError) as error:
            log.warning("issuer_keys_unread", jwks_uri=jwks_uri, fault=type(error).__name__)
            found = _Kept(kept.keys, kept.fetched, tried) if kept else _Kept({}, tried, tried)
        _kept[jwks_uri] = found
        return found


def _fetch(address: str) -> bytes:
    """One GET that follows no redirect. Raises OSError, HTTPException, ValueError."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    connection = (
        HTTPSConnection(host, parts.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
        if parts.scheme == "https"
        else HTTPConnection(host, parts.port, timeout=TIMEOUT_SECONDS)
    )
    try:
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        body = answer.read(LONGEST_SET + 1)
    finally:
        connection.close()
    if answer.status != 200 or len(body) > LONGEST_SET:
        raise ValueError("no key set")
    return body


def _read(body: bytes) -> dict[tuple[str, str], PyJWK]:
    """Public keys for signatures; anything else in the set is passed over. Raises ValueError."""
    listed = json.loads(body)
    listed = listed.get("keys") if isinstance(listed, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no key set")
    found: dict[tuple[str, str], PyJWK] = {}
    for item in listed[:MOST_KEYS]:
        if isinstance(item, dict) and isinstance(item.get("kid"), str) and item.get("use", "sig") == "sig":
            found |= {(item["kid"], name): key for name, key in _usable(item)}
    return found


def _usable(item: dict[str, Any]) -> Iterator[tuple[str, PyJWK]]:
    """The key under each algorithm it may verify: its own where it says one."""
    for name in _ALGORITHMS.get(str(item.get("kty")), ()):
        if item.get("alg", name) == name:
            try:
                yield name, PyJWK.from_dict(_public(item), name)
            except (PyJWTError, ValueError, TypeError, KeyError):
                log.warning("issuer_key_unusable", kid=item["kid"][:80])


def _public(item: dict[str, Any]) -> dict[str, Any]:
    """Without the private parts, should an issuer ever publish them."""
    return {name: value for name, value in item.items() if name not in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")}


def _age(moment: float) -> float:
    return time.monotonic() - moment


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
