"""An OpenID Connect issuer on this machine: discovery, authorize, token with PKCE, keys and userinfo, over real HTTP.

It signs in whoever `person` says, at once. `claims` change what its tokens say, `sign` how they are signed.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

CLIENT_ID = "countinghouse-of-the-tests"
CLIENT_SECRET = "cnry-oidc-client-secret-5f1d"
Claims = dict[str, Any]


def new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    url: str = ""
    person: Claims = field(default_factory=lambda: {"sub": "s-1", "email": "pat@acme.example", "email_verified": True})
    claims: Callable[[Claims], Claims] = lambda claims: claims
    userinfo: Claims | None = None  # None: the person
    key: RSAPrivateKey = field(default_factory=new_key)
    sign: Callable[[Claims, "Issuer"], str] | None = None
    asked: list[Claims] = field(default_factory=list)  # what the site asked /authorize
    refusals: list[str] = field(default_factory=list)
    _codes: dict[str, Claims] = field(default_factory=dict)

    def id_token(self) -> str:
        now = int(time.time())
        claims: Claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, **self.person}
        claims = {name: value for name, value in self.claims(claims).items() if value is not None}
        if self.sign:
            return self.sign(claims, self)
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "k1"})

    def document(self) -> Claims:
        places = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        return {
            "issuer": self.url,
            **{f"{name}_endpoint": f"{self.url}/{place}" for name, place in places.items()},
            "jwks_uri": f"{self.url}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def authorize(self, query: Claims) -> str:
        """Where the browser is sent back to."""
        self.asked.append(query)
        code = secrets.token_urlsafe(12)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: Claims) -> Claims:
        """Raises Refusal as a strict issuer does."""
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            raise Refusal("invalid_grant")
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise Refusal("invalid_client")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked.get("code_challenge_method") != "S256" or asked.get("code_challenge") != challenge:
            raise Refusal("invalid_grant")
        return {"access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "id_token": self.id_token()}

    def keys(self) -> Claims:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}


class Refusal(Exception):
    pass


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            if url.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", issuer.authorize(query))
                self.end_headers()
                return
            answers: dict[str, Callable[[], Claims]] = {
                "/.well-known/openid-configuration": issuer.document,
                "/jwks": issuer.keys,
                "/userinfo": lambda: issuer.person if issuer.userinfo is None else issuer.userinfo,
            }
            found = answers.get(unquote(url.path))
            self._say(200 if found else 404, found() if found else {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            try:
                self._say(200, issuer.token({name: values[0] for name, values in parse_qs(body).items()}))
            except Refusal as refused:
                issuer.refusals.append(str(refused))
                self._say(400, {"error": str(refused)})

        def _say(self, status: int, answer: Claims) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler


@contextmanager
def issuing() -> Iterator[Issuer]:
    issuer = Issuer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(issuer))
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
