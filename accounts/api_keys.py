"""API keys: created, replaced one by the other, revoked. The secret is shown once, to whoever created it."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts import key_text, policy, policy_scopes
from accounts.abilities import EVERY, READS, WRITES
from accounts.audit import Actor, optional_reason, record
from accounts.clock import check_moment
from accounts.errors import Conflict, DomainError, NotFound, constraints
from accounts.key_text import ShownOnce
from accounts.locking import lock_open_organization
from accounts.models import ApiKey, Organization
from accounts.names import check_name

LONGEST = "accounts.api_key_longest_days"
OF_CUSTOMERS = READS | WRITES
SLOTS = (1, 2)


class ScopesInvalid(DomainError):
    code = "scopes_invalid"
    field = "scopes"


class ExpiryInvalid(DomainError):
    code = "expiry_invalid"
    field = "expires_in_days"


@dataclass(frozen=True)
class NewKey:
    """`text` is the whole key: it can be shown now and never again."""

    key: ApiKey
    text: ShownOnce = field(repr=False)


@transaction.atomic
def create(
    organization_id: int | None,
    name: str,
    scopes: Collection[str],
    *,
    expires_in_days: int | None = None,
    actor: Actor,
    reason: str | None = None,
    at: datetime,
) -> NewKey:
    """A key of an organization, or with None one of the platform's own. It lives as long as policy lets at most, or
    fewer days where they are given.

    Raises NameInvalid, ScopesInvalid, ExpiryInvalid, NotFound, ReasonRequired, Conflict (`closed`; `two_keys_alive`).
    """
    at, name, reason = check_moment(at), check_name(name, longest=64), optional_reason(reason)
    wanted = check_scopes(scopes, organization_id)
    organization = lock_open_organization(organization_id) if organization_id else None
    days = check_days(expires_in_days, organization)
    secret = key_text.new_secret()
    key = _in_a_free_slot(
        ApiKey(
            organization=organization,
            name=name,
            secret_sha256=key_text.hashed(secret),
            scopes=wanted,
            created_by_id=actor.user_id,
            created_at=at,
            expires_at=at + timedelta(days=days),
        )
    )
    _record("api_key.create", key, actor=actor, reason=reason, at=at)
    return NewKey(key, key_text.write(key, secret))


@transaction.atomic
def rotate(
    key_id: int, *, expires_in_days: int | None = None, actor: Actor, reason: str | None = None, at: datetime
) -> NewKey:
    """A second key of the same name and scopes; the first works until it is revoked or expires.

    Raises NotFound, ExpiryInvalid, ReasonRequired, Conflict (`closed`, `already_revoked`, `two_keys_alive`).
    """
    key = _locked(key_id)
    if key.revoked_at:
        raise Conflict("the key is revoked", code="already_revoked")
    days = expires_in_days
    return create(key.organization_id, key.name, key.scopes, expires_in_days=days, actor=actor, reason=reason, at=at)


@transaction.atomic
def revoke(key_id: int, *, actor: Actor, reason: str | None = None, at: datetime) -> ApiKey:
    """From now on the key is refused, for ever. Raises NotFound, ReasonRequired, Conflict (`already_revoked`)."""
    at, reason, key = check_moment(at), optional_reason(reason), _locked(key_id)
    if key.revoked_at:
        raise Conflict("the key is revoked", code="already_revoked")
    key.revoked_at = at
    key.save(update_fields=["revoked_at"])
    _record("api_key.revoke", key, actor=actor, reason=reason, at=at)
    return key


def check_scopes(scopes: Collection[str], organization_id: int | None) -> list[str]:
    """The scopes in order. A customer's key holds only what customers may do. Raises ScopesInvalid."""
    allowed = OF_CUSTOMERS if organization_id else EVERY
    if not scopes or isinstance(scopes, str) or not set(scopes) <= allowed:
        raise ScopesInvalid(f"give one or more of {', '.join(sorted(allowed))}")
    return sorted(set(scopes))


def check_days(days: int | None, organization: Organization | None) -> int:
    """For how long; None stands for the longest life that policy gives. Raises ExpiryInvalid."""
    scope = policy_scopes.organization_scope(organization) if organization else policy.GLOBAL
    longest: int = policy.effective(LONGEST, scope)
    if days is None:
        return longest
    if not 1 <= days <= longest:
        raise ExpiryInvalid(f"a key lives from 1 to {longest} days")
    return days


def _in_a_free_slot(key: ApiKey) -> ApiKey:
    """Save it in one of the two slots of its name. Keys that expired are revoked first: they hold no slot.

    Raises Conflict (`two_keys_alive`).
    """
    owned = Q(organization=key.organization) if key.organization else Q(organization=None)
    of_name = ApiKey.objects.filter(owned, name=key.name, revoked_at=None)
    of_name.filter(expires_at__lte=key.created_at).update(revoked_at=key.created_at)
    both = Conflict("two keys of that name are alive; revoke one first", field="name", code="two_keys_alive")
    taken = set(of_name.values_list("slot", flat=True))
    for slot in (slot for slot in SLOTS if slot not in taken):
        key.slot = slot
        # Somebody may take it this moment: then the other slot is tried.
        with suppress(Conflict), constraints({"two_keys_alive_of_a_name": both}), transaction.atomic():
            key.save(force_insert=True)
            return key
    raise both


def _locked(key_id: int) -> ApiKey:
    key = ApiKey.objects.select_for_update(no_key=True).filter(pk=key_id).first()
    if key is None:
        raise NotFound("no such API key")
    return key


def _record(action: str, key: ApiKey, *, actor: Actor, reason: str, at: datetime) -> None:
    record(
        actor,
        action,
        subject=("api_key", key.pk),
        organization_id=key.organization_id,
        reason=reason,
        after={"key": key.public_id, "name": key.name, "scopes": key.scopes, "expires_at": key.expires_at.isoformat()},
        at=at,
    )
