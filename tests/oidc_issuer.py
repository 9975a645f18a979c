"""An issuer of tokens for tests: key pairs, and their public halves at a real address on this machine."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from accounts.models import TrustedIssuer
from accounts.oidc import keys
from tests.cast import BEGINNING

AUDIENCE = "countinghouse"


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """Drawn once a process: that takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """`served` is the key set as it is published; `asked` counts who came for it."""

    address: str = ""
    served: dict[str, Any] = field(default_factory=dict)
    asked: int = 0
    status: int = 200
    row: TrustedIssuer | None = None

    @property
    def jwks_uri(self) -> str:
        return f"{self.address}/keys.json"

    def open(self, *, trusted: bool = True, **fields: Any) -> TrustedIssuer:
        values = {"audience": AUDIENCE, "algorithms": ["RS256"], "jwks_uri": self.jwks_uri, **fields}
        self.row = TrustedIssuer.objects.create(issuer=self.address, trusted=trusted, created_at=BEGINNING, **values)
        return self.row

    def claims(self, subject: str, org: str = "nova", *groups: str, **changes: Any) -> dict[str, Any]:
        """Of a fine token; a change to None leaves the claim out."""
        now = int(time.time())
        fine = {
            "iss": self.address,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + 300,
            "org": org,
            "groups": list(groups),
            "namespaces": [],
        }
        return {name: value for name, value in {**fine, **changes}.items() if value is not None}

    def sign(self, claims: dict[str, Any], *, key: Any = None, algorithm: str = "RS256", **header: Any) -> str:
        headers = {"kid": "one", **header}
        headers = {name: value for name, value in headers.items() if value is not None}
        # Below the library's own checks of claims: wrong ones are what is tested.
        return jwt.PyJWS().encode(json.dumps(claims).encode(), key or rsa_key("one"), algorithm, headers=headers)

    def token(self, subject: str, org: str = "nova", *groups: str, **changes: Any) -> str:
        return self.sign(self.claims(subject, org, *groups, **changes))


def raw(header: dict[str, Any], claims: dict[str, Any], secret: bytes = b"") -> str:
    """A token as no library would make it: any header, signed by HMAC or not at all."""
    body = ".".join(_part(json.dumps(part).encode()) for part in (header, claims))
    return f"{body}.{_part(hmac.digest(secret, body.encode(), hashlib.sha256)) if secret else ''}"


def public_pem(name: str = "one") -> bytes:
    return rsa_key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    """The public half as it is published."""
    match key:
        case rsa.RSAPrivateKey():
            found = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ec.EllipticCurvePrivateKey():
            found = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ed25519.Ed25519PrivateKey():
            found = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case _:
            raise TypeError(key)
    return {**found, "kid": kid, "use": "sig", **more}


@contextmanager
def running() -> Iterator[Issuer]:
    """An issuer whose key set is served until the block ends."""
    issuer = Issuer(served={"keys": [jwk(rsa_key("one"), "one", alg="RS256")]})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            body = json.dumps(issuer.served).encode()
            self.send_response(issuer.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    keys.forget()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        keys.forget()


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
