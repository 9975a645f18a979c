"""Issuers whose tokens we accept: which keys, which audience, and whether the first token opens what it names."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.errors import Conflict, DomainError, NotFound, constraints
from accounts.locking import lock_open_organization
from accounts.models import Organization, TrustedIssuer
from accounts.names import check_name
from accounts.oidc import keys

LONGEST = 200


class IssuerInvalid(DomainError):
    code = "issuer_invalid"
    field = "issuer"


class AlgorithmsInvalid(DomainError):
    code = "algorithms_invalid"
    field = "algorithms"


@transaction.atomic
def set_issuer(
    issuer: str,
    *,
    jwks_uri: str,
    audience: str,
    algorithms: Collection[str],
    trusted: bool,
    active: bool = True,
    actor: Actor,
    reason: str,
    at: datetime,
) -> TrustedIssuer:
    """Accept tokens of an issuer, or change how; the issuer is named exactly as its tokens name it.

    A trusted one opens people, organizations and projects. What tokens opened stays when trust is taken back; an
    issuer that is not active is not believed at all. Raises IssuerInvalid, KeysAddressInvalid, NameInvalid,
    AlgorithmsInvalid, ReasonRequired, Conflict (`nothing_changes`).
    """
    at, reason = check_moment(at), require_reason(reason)
    wanted = {
        "jwks_uri": keys.check_address(jwks_uri.strip()),
        "audience": check_name(audience, field="audience", longest=LONGEST),
        "algorithms": check_algorithms(algorithms),
        "trusted": trusted,
        "active": active,
    }
    row = TrustedIssuer.objects.select_for_update(no_key=True).filter(issuer=check_issuer(issuer)).first()
    before = None if row is None else {name: getattr(row, name) for name in wanted}
    if before == wanted:
        raise Conflict("that is how the issuer is accepted", code="nothing_changes")
    row = row or TrustedIssuer(issuer=check_issuer(issuer), created_at=at)
    for name, value in wanted.items():
        setattr(row, name, value)
    meanwhile = Conflict("somebody set that issuer this moment; try again", field="issuer")
    with constraints({"trusted_issuers_issuer_key": meanwhile}), transaction.atomic():
        row.save()
    after = {"issuer": row.issuer, **wanted}
    record(actor, "issuer.set", subject=("issuer", row.pk), reason=reason, before=before, after=after, at=at)
    return row


@transaction.atomic
def connect(organization_id: int, issuer: str, *, actor: Actor, reason: str, at: datetime) -> Organization:
    """Let the tokens of an issuer open people and projects in an organization that staff opened; empty: of none.

    Raises NotFound, IssuerInvalid, ReasonRequired, Conflict (`closed`, `nothing_changes`).
    """
    at, reason, organization = check_moment(at), require_reason(reason), lock_open_organization(organization_id)
    before, row = organization.issuer, find(issuer) if issuer.strip() else None
    if before == row:
        raise Conflict("that is the issuer whose tokens it takes", field="issuer", code="nothing_changes")
    organization.issuer = row
    organization.save(update_fields=["issuer"])
    record(
        actor,
        "organization.connect",
        subject=("organization", organization.pk),
        organization_id=organization.pk,
        reason=reason,
        before={"issuer": before and before.issuer},
        after={"issuer": row and row.issuer},
        at=at,
    )
    return organization


def find(issuer: str) -> TrustedIssuer:
    """Raises IssuerInvalid, NotFound."""
    found = TrustedIssuer.objects.filter(issuer=check_issuer(issuer)).first()
    if found is None:
        raise NotFound("no tokens of that issuer are accepted", field="issuer")
    return found


def check_issuer(text: str) -> str:
    """The issuer as its tokens name it, an address as a rule. Raises IssuerInvalid."""
    named = text.strip()
    if not 0 < len(named) <= LONGEST or not named.isascii() or not named.isprintable() or " " in named:
        raise IssuerInvalid(f"give the issuer as its tokens name it, in at most {LONGEST} characters")
    return named


def check_algorithms(names: Collection[str]) -> list[str]:
    """Asymmetric ones that we know, in order. Raises AlgorithmsInvalid."""
    if not names or isinstance(names, str) or not set(names) <= set(keys.ALGORITHMS):
        raise AlgorithmsInvalid(f"give one or more of {', '.join(keys.ALGORITHMS)}")
    return sorted(set(names))
