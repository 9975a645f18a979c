"""Second factors that come and go are audited: they decide who may act on money."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset

from accounts import clock
from accounts.audit import person, record
from accounts.models import User


def connect() -> None:
    authenticator_added.connect(_added, dispatch_uid="billing_site.sign_in.audit_added")
    authenticator_removed.connect(_removed, dispatch_uid="billing_site.sign_in.audit_removed")
    authenticator_reset.connect(_renewed, dispatch_uid="billing_site.sign_in.audit_renewed")


def _added(user: User, authenticator: Authenticator, **_: Any) -> None:
    after = {"factor": str(authenticator.type)}
    record(person(user), "second_factor.add", subject=("user", user.pk), at=clock.now(), after=after)


def _removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    before = {"factor": str(authenticator.type)}
    record(person(user), "second_factor.remove", subject=("user", user.pk), at=clock.now(), before=before)


def _renewed(user: User, authenticator: Authenticator, **_: Any) -> None:
    after = {"factor": str(authenticator.type)}
    record(person(user), "second_factor.renew", subject=("user", user.pk), at=clock.now(), after=after)
