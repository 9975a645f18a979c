"""A person, and the organizations and accounts behind them; the person only for those who look after people."""

from django.http import HttpRequest
from django.urls import reverse

from accounts.models import BillingAccount, Membership, Organization, User
from accounts.personal_data import masked_email, masked_name
from accounts.request_abilities import may
from billing_site.back_office.search_hits import READ, Group, Hit, group
from billing_site.back_office.search_names import account_hit, organization_hit


def by_address(address: str, request: HttpRequest) -> list[Group]:
    return _behind(User.objects.filter(email=address).first(), request)


def by_key(key: int, request: HttpRequest) -> list[Group]:
    return _behind(User.objects.filter(pk=key).first(), request)


def _behind(person: User | None, request: HttpRequest) -> list[Group]:
    if person is None:
        return []
    memberships = Membership.objects.filter(user=person, withdrawn_at=None)
    belongs = Organization.objects.filter(pk__in=memberships.values("organization"))
    owns = Organization.objects.filter(owner=person)
    organizations = list(owns.union(belongs)[:READ])
    accounts = BillingAccount.objects.filter(organization__in=organizations).select_related("organization")[:READ]
    groups = [
        group("Organizations", (organization_hit(row, exact=True) for row in organizations)),
        group("Billing accounts", (account_hit(row, exact=True) for row in accounts)),
    ]
    if may(request, "administer"):
        url = reverse("admin:accounts_user_change", args=[person.pk])
        line = f"{masked_email(person)} · {'staff' if person.is_staff else 'customer'}"
        groups.insert(0, Group("People", [Hit(masked_name(person) or person.public_id, line, url, exact=True)]))
    return [found for found in groups if found.hits]
