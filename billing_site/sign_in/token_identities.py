"""Whom bearer tokens of an issuer name, and whom its browser log-ins name, is one person."""

from datetime import datetime

from accounts.models import ExternalIdentity, TrustedIssuer, User


def person_of(issuer: str, subject: str) -> User | None:
    """The person that tokens of an issuer we accept made known."""
    rows = ExternalIdentity.objects.filter(issuer__issuer=issuer, issuer__active=True, subject=subject)
    identity = rows.select_related("user").first()
    return identity.user if identity else None


def remember(issuer: str, subject: str, user: User, *, at: datetime) -> None:
    """So that a token of the same subject, should it come, is theirs. Nothing where no tokens of it are accepted."""
    row = TrustedIssuer.objects.filter(issuer=issuer, active=True).first()
    if row is not None:
        ExternalIdentity.objects.get_or_create(issuer=row, subject=subject, defaults={"user": user, "created_at": at})
