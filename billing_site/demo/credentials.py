"""What the demo hands to whoever tries its API: two keys and three tokens, the same ones each time it is asked."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from accounts import api_keys, issuers, key_use
from accounts.abilities import EVERY
from accounts.errors import Conflict
from accounts.models import ApiKey, Organization, OrganizationRole
from billing_site.demo import issuer
from billing_site.demo.stage import ACTOR, CUSTOMERS

ROLES = (OrganizationRole.ORG_ADMIN.value, OrganizationRole.PROJECT_USER.value, OrganizationRole.GUEST.value)
_WHY = "the demo's API is there to be tried"


@dataclass(frozen=True)
class DemoCredentials:
    """Bearers: a key of the first customer, one of the platform, and a token for each role at that customer."""

    organization: str
    key: str = field(repr=False)
    platform_key: str = field(repr=False)
    tokens: dict[str, str] = field(repr=False)


def demo_credentials(port: int, *, at: datetime) -> DemoCredentials:
    """Make what is missing, and keep it under `.local/` to be printed again. For the demo of an embedded site alone.

    `port` is where the site serves the public key of the demo's issuer.
    """
    organization = Organization.objects.get(slug=CUSTOMERS[0][0])
    _accept(organization, port, at=at)
    kept = _kept()
    tokens = kept.get("tokens", {})
    return _keep(
        DemoCredentials(
            organization=organization.slug,
            key=_key(kept.get("key", ""), organization, at=at),
            platform_key=_key(kept.get("platform_key", ""), None, at=at),
            tokens={role: _token(tokens.get(role, ""), organization, role, at=at) for role in ROLES},
        )
    )


def _accept(organization: Organization, port: int, *, at: datetime) -> None:
    """Tokens of the demo's issuer bring people into its first customer."""
    with suppress(Conflict):  # where it stands as it was set the last time
        issuers.set_issuer(
            issuer.ISSUER,
            jwks_uri=f"http://127.0.0.1:{port}/demo/jwks.json",
            audience=issuer.AUDIENCE,
            algorithms=[issuer.ALGORITHM],
            trusted=True,
            actor=ACTOR,
            reason=_WHY,
            at=at,
        )
    if organization.issuer is None:
        issuers.connect(organization.pk, issuer.ISSUER, actor=ACTOR, reason=_WHY, at=at)


def _key(kept: str, organization: Organization | None, *, at: datetime) -> str:
    """The key that was printed before where it still opens this database; else a new one in place of those lost."""
    owner = organization.pk if organization else None
    try:
        if key_use.key_of(kept, at=at).organization_id == owner:
            return kept
    except key_use.KeyRefused:
        pass
    lost = ApiKey.objects.filter(name="demo", revoked_at=None)
    for key in lost.filter(organization=organization) if organization else lost.filter(organization=None):
        api_keys.revoke(key.pk, actor=ACTOR, at=at)
    scopes = api_keys.OF_CUSTOMERS if organization else EVERY
    return api_keys.create(owner, "demo", scopes, actor=ACTOR, at=at).text


def _token(kept: str, organization: Organization, role: str, *, at: datetime) -> str:
    """The token that was printed before while it is good for days yet; else a new one."""
    if issuer.is_good(kept, until=at + timedelta(days=7)):
        return kept
    namespaces = [f"{organization.slug}-production"]
    return issuer.sign(f"demo-{role}", organization=organization.slug, groups=[role], namespaces=namespaces, at=at)


def _kept() -> dict[str, Any]:
    path = issuer.private_file("credentials.json")
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep(made: DemoCredentials) -> DemoCredentials:
    path = issuer.private_file("credentials.json")
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(made), file)
    draft.replace(path)
    return made
