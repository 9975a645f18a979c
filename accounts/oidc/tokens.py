"""A token that was sent: whose signature it bears, and what it claims. Everything about it is wrong until proved."""

from dataclasses import dataclass
from typing import Any

import jwt

from accounts.models import TrustedIssuer
from accounts.oidc import claims, keys
from accounts.oidc.claims import Claims, TokenRefused

LONGEST = 8_000  # characters
LEEWAY_SECONDS = 30  # between the issuer's clock and ours
_TYPES = (None, "jwt", "at+jwt", "application/at+jwt")
_REQUIRED = ["exp", "aud", "iss", "sub"]


@dataclass(frozen=True)
class Token:
    """A token that is valid now."""

    issuer: TrustedIssuer
    claims: Claims


def verified(text: str) -> Token:
    """The token, its signature checked with a key of the issuer it names, if we know and accept that issuer.

    No transaction may be open: keys may have to be fetched. Raises TokenRefused, Forbidden (`organization_required`),
    IssuerUnreachable.
    """
    if len(text) > LONGEST or not text.isascii() or text.count(".") != 2:
        raise TokenRefused("the token is not valid")
    try:
        kid, algorithm = _named(jwt.get_unverified_header(text))
        issuer = _issuer(jwt.decode(text, options={"verify_signature": False}).get("iss"))
        payload = _checked(text, issuer, kid, algorithm)
    except jwt.ExpiredSignatureError:
        raise TokenRefused("the token has expired", code="token_expired") from None
    except jwt.ImmatureSignatureError:
        raise TokenRefused("the token is not valid yet", code="token_not_yet_valid") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise TokenRefused("the token is not valid") from None
    return Token(issuer, claims.read(payload))


def _named(header: dict[str, Any]) -> tuple[str, str]:
    """Which of the issuer's keys, and the algorithm. Nothing else of a header is obeyed, nor where it says keys are."""
    kid, algorithm, kind = header.get("kid"), header.get("alg"), header.get("typ")
    known = kind.lower() if isinstance(kind, str) else kind
    if not isinstance(kid, str) or algorithm not in keys.ALGORITHMS or known not in _TYPES or "crit" in header:
        raise TokenRefused("the token is not valid")
    return kid, algorithm


def _issuer(named: object) -> TrustedIssuer:
    if isinstance(named, str) and named.isprintable():
        found = TrustedIssuer.objects.filter(issuer=named, active=True).first()
        if found is not None:
            return found
    raise TokenRefused("the token is not valid")


def _checked(text: str, issuer: TrustedIssuer, kid: str, algorithm: str) -> dict[str, Any]:
    key = keys.key_of(issuer.jwks_uri, kid, algorithm) if algorithm in issuer.algorithms else None
    if key is None:
        raise TokenRefused("the token is not valid")
    return jwt.decode(
        text,
        key,
        algorithms=issuer.algorithms,
        audience=issuer.audience,
        issuer=issuer.issuer,
        leeway=LEEWAY_SECONDS,
        options={"require": _REQUIRED, "enforce_minimum_key_length": True},
    )
