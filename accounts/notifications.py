"""Who is told by mail about outbox messages, and what. At least once: a repetition carries the same Message-ID."""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.db.models import Q

from accounts import policy, staff_roles
from accounts.addresses import NO_ADDRESS
from accounts.channels import email
from accounts.clock import parse_moment
from accounts.currencies import format_minor
from accounts.models import ApprovalRequest, BillingAccount, Organization, OrganizationRole, OutboxMessage, User
from accounts.outbox import outside
from accounts.policy import account_scope
from accounts.public_ids import decode

log = structlog.get_logger(__name__)

# The policy that switches a topic's mail off. Others are always told.
_SWITCHES = {
    "billing.low_balance_warning": "notification.low_balance_enabled",
    "billing.auto_release_pending": "notification.auto_release_pending_enabled",
    "billing.balance_depleted": "notification.balance_depleted_enabled",
}
_READING_ROLES = (OrganizationRole.ORG_ADMIN, OrganizationRole.BILLING_ADMIN)


@outside
def tell_customer(message: OutboxMessage, *, at: datetime) -> None:
    """Tell the owner and the billing admins of the account's organization, in its language.

    One route for every topic about a balance, so that an account's mails leave in the order of what happened.
    """
    account = message.billing_account
    if account is None:
        raise ValueError(f"{message.topic} names no account")
    switch = _SWITCHES.get(message.topic)
    if switch and not policy.effective(switch, account_scope(account)):
        log.info("mail_switched_off", outbox=message.pk, topic=message.topic, policy=switch)
        return
    organization = account.organization
    _send(
        message,
        message.topic.rpartition(".")[2],
        readers(organization),
        _balance_facts(message, account),
        language=organization.language,
    )


@outside
def tell_approvers(message: OutboxMessage, *, at: datetime) -> None:
    """Ask those who may approve for a decision, the maker excepted."""
    asked = ApprovalRequest.objects.select_related("maker", "billing_account").get(
        pk=decode(ApprovalRequest.PUBLIC_PREFIX, message.payload["approval"]) or 0
    )
    facts = {
        "asked": asked,
        "summary": email.one_line(asked.summary),
        "amount": None if asked.amount_minor is None else format_minor(asked.amount_minor, asked.currency),
    }
    _send(message, "approval_wanted", _staff("approve").exclude(pk=asked.maker_id), facts)


@outside
def tell_operators(message: OutboxMessage, *, at: datetime) -> None:
    """Tell the operators that an account is parked."""
    facts = {name: email.one_line(str(value)) for name, value in message.payload.items()}
    _send(message, "account_parked", _staff("operate"), {**facts, "parked_at": message.occurred_at})


@outside
def tell_of_refused_catalog(message: OutboxMessage, *, at: datetime) -> None:
    """Tell the operators that a catalog was refused, with what is wrong with it."""
    faults = [
        {name: email.one_line(str(value)) for name, value in fault.items()} for fault in message.payload["faults"]
    ]
    facts = {"source": email.one_line(message.payload["source"]), "faults": faults, "refused_at": message.occurred_at}
    _send(message, "catalog_refused", _staff("operate"), facts)


def readers(organization: Organization) -> list[User]:
    """Who reads an organization's mail about money: its owner, org-admins and billing-admins, while active."""
    administers = Q(
        memberships__organization=organization,
        memberships__role__in=_READING_ROLES,
        memberships__withdrawn_at=None,
    )
    found = User.objects.filter(Q(pk=organization.owner_id) | administers, is_active=True)
    found = found.exclude(email__endswith=NO_ADDRESS)
    return list(found.distinct().order_by("pk"))


def _staff(ability: str) -> Any:
    holders = User.objects.filter(is_active=True, is_staff=True, groups__name__in=staff_roles.ABILITIES[ability])
    return holders.distinct().order_by("pk")


def _balance_facts(message: OutboxMessage, account: BillingAccount) -> dict[str, Any]:
    """What the letters about a balance say; amounts as text in the payload's currency."""
    payload = message.payload
    facts: dict[str, Any] = {
        "organization": email.one_line(account.organization.name),
        "account": email.one_line(account.name),
        "account_id": account.public_id,
        "happened_at": message.occurred_at,
        "overdrawn": payload.get("balance_minor", 1) <= 0,
        "running": payload.get("running_allocations", 0),
    }
    for name in ("balance", "threshold", "amount"):
        if (minor := payload.get(f"{name}_minor")) is not None:
            facts[name] = format_minor(minor, payload["currency"])
    if "burn_minor_per_hour" in payload:
        burn = Decimal(payload["burn_minor_per_hour"]).quantize(Decimal(1), ROUND_HALF_UP)
        facts["burn_per_hour"] = format_minor(int(burn), payload["currency"])
    for name in ("projected_depletion_at", "depleted_at"):
        if name in payload:
            facts[name] = parse_moment(payload[name])
    return facts


def _send(
    message: OutboxMessage,
    name: str,
    people: Iterable[User],
    facts: dict[str, Any],
    *,
    language: str = email.FALLBACK_LANGUAGE,
) -> None:
    letters = [email.write(name, user, language=language, facts={**facts, "zone": _zone(user)}) for user in people]
    email.send(letters, key=f"outbox-{message.pk}")


def _zone(user: User) -> ZoneInfo | None:
    """The reader's time zone, or nothing where UTC says it all."""
    try:
        zone = ZoneInfo(user.time_zone)
    except (KeyError, ValueError, OSError):  # no such zone, or a name that is none
        return None
    return None if zone.key in ("UTC", "Etc/UTC") else zone
