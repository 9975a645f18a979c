"""What an issuer says about a person, and when it is believed.

allauth would take a token's word unsigned when it came from the token endpoint, and userinfo's without asking whether
it is of the same person. Here the signature is always checked, with keys of the issuer's own and algorithms that we
name, and a person is known by (issuer, subject), never by an address.
"""

import hashlib
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
REQUIRED = ("iss", "sub", "aud", "exp", "iat")
LEEWAY_SECONDS = 30
LONGEST_SUBJECT = 255  # OpenID Connect Core
_LONGEST_UID = 191
_KEPT = ("iss", "sub", "email", "email_verified", "name")


class IssuerAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """Raises OAuth2Error unless the issuer signed it, for us, for now."""
        try:
            header = jwt.get_unverified_header(id_token)
            claims: dict[str, Any] = jwt.decode(
                id_token,
                self._key(header),
                algorithms=list(ALGORITHMS),
                issuer=self._issuer(),
                audience=app.client_id,
                leeway=LEEWAY_SECONDS,
                options={"require": list(REQUIRED)},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise OAuth2Error("the ID token is not valid") from error
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != app.client_id:
            raise OAuth2Error("the ID token is for somebody else")
        if not (isinstance(claims["sub"], str) and 0 < len(claims["sub"]) <= LONGEST_SUBJECT):
            raise OAuth2Error("the ID token names nobody")
        return claims

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> Any:
        """The ID token says who it is; userinfo may add an address to it, where it is of the same subject."""
        signed = kwargs["response"].get("id_token")
        if not isinstance(signed, str):
            raise OAuth2Error("the issuer sent no ID token")
        claims = self._decode_id_token(app, signed)
        if "email" not in claims and self.openid_config.get("userinfo_endpoint"):
            said = self._fetch_user_info(token.token)
            if not isinstance(said, dict) or said.get("sub") != claims["sub"]:
                raise OAuth2Error("userinfo is about somebody else")
            claims = {**said, **claims}
        known = {name: claims[name] for name in _KEPT if name in claims}
        return self.get_provider().sociallogin_from_response(request, {"id_token": known})

    def _issuer(self) -> str:
        """The issuer that was configured; its own document must agree."""
        configured = str(self.get_provider().app.settings["server_url"])
        declared = str(self.openid_config.get("issuer", ""))
        if declared.rstrip("/") != configured:
            raise OAuth2Error("the issuer calls itself by another name")
        return declared

    def _key(self, header: dict[str, Any]) -> jwt.PyJWK:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        named = [key for key in keys if key.key_id == header.get("kid") and key.public_key_use in (None, "sig")]
        if len(named) != 1 or header.get("alg") not in ALGORITHMS:
            raise OAuth2Error("the ID token is signed by an unknown key")
        return named[0]


class IssuerProvider(OpenIDConnectProvider):  # type: ignore[misc]
    oauth2_adapter_class = IssuerAdapter

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Issuer and subject in one: the id by which an issuer is configured may be given to another one later."""
        claims = data["id_token"]
        uid = f"{claims['iss']} {claims['sub']}"
        return uid if len(uid) <= _LONGEST_UID else hashlib.sha256(uid.encode()).hexdigest()

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        """Verified only where the issuer says so as a truth value; some send words."""
        claims = data["id_token"]
        verified = claims.get("email_verified") is True or claims.get("email_verified") == "true"
        return list(super().extract_email_addresses({"id_token": {**claims, "email_verified": verified}}))
