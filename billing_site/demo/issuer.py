"""The demo's own issuer of tokens: a key pair made once under `.local/`, its public half at /demo/jwks.json."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from jwt.algorithms import ECAlgorithm

ISSUER = "https://issuer.demo.countinghouse.example"
AUDIENCE = "countinghouse-demo"
ALGORITHM = "ES256"
LIFETIME = timedelta(days=30)
_KEY_ID = "demo"


@require_safe
def jwks(request: HttpRequest) -> HttpResponse:
    """The public half of the demo's key; there is none where no demo was started."""
    if not settings.DEMO:
        raise Http404
    return JsonResponse({"keys": [public_key()]})


def public_key() -> dict[str, Any]:
    published = ECAlgorithm.to_jwk(_private_key().public_key(), as_dict=True)
    return {**published, "kid": _KEY_ID, "use": "sig", "alg": ALGORITHM}


def sign(subject: str, *, organization: str, groups: list[str], namespaces: list[str], at: datetime) -> str:
    """A token with the claims of a platform's console."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "iat": int(at.timestamp()),
        "exp": int((at + LIFETIME).timestamp()),
        "org": organization,
        "groups": groups,
        "namespaces": namespaces,
    }
    return jwt.encode(claims, _private_key(), ALGORITHM, headers={"kid": _KEY_ID})


def is_good(token: str, *, until: datetime) -> bool:
    """Whether a token bears this issuer's signature and lives until then."""
    key = _private_key().public_key()
    try:
        claims = jwt.decode(token, key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER)
    except jwt.PyJWTError:
        return False
    return bool(claims["exp"] >= until.timestamp())


def private_file(name: str) -> Path:
    """A file of the demo's that only its owner reads."""
    settings.DEMO_DIRECTORY.mkdir(mode=0o700, parents=True, exist_ok=True)
    path: Path = settings.DEMO_DIRECTORY / name
    return path


def write_once(path: Path, text: str) -> str:
    """Write a private file where there is none; what stands in it. Two who begin at once end with one key."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        return path.read_text()
    finally:
        draft.unlink()
    return text


def _private_key() -> ec.EllipticCurvePrivateKey:
    path = private_file("issuer.pem")
    text = path.read_text() if path.exists() else write_once(path, _drawn())
    key = load_pem_private_key(text.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds another kind of key")
    return key


def _drawn() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
