"""Organizations, billing accounts and projects by the beginning of their names, in whatever case."""

from django.db.models import Q
from django.urls import reverse

from accounts.models import BillingAccount, Organization, Project
from billing_site.back_office.search_hits import READ, Group, Hit, group


def find(term: str) -> list[Group]:
    """No order in the query: it would tempt the planner to walk the keys instead of the names."""
    organizations = Organization.objects.filter(Q(slug__startswith=term.lower()) | Q(name__istartswith=term))
    accounts = BillingAccount.objects.filter(name__istartswith=term).select_related("organization")
    projects = Project.objects.filter(name__istartswith=term).select_related("organization")
    return [
        group(
            "Organizations",
            (organization_hit(row, exact=_is(term, row.slug, row.name)) for row in organizations[:READ]),
        ),
        group("Billing accounts", (account_hit(row, exact=_is(term, row.name)) for row in accounts[:READ])),
        group("Projects", (_project_hit(row, exact=_is(term, row.name)) for row in projects[:READ])),
    ]


def organization_hit(row: Organization, *, exact: bool) -> Hit:
    kind = "personal organization" if row.personal else "organization"
    url = reverse("admin:accounts_organization_change", args=[row.pk])
    return Hit(row.name, f"{kind} {row.slug} · {row.public_id}", url, exact)


def account_hit(row: BillingAccount, *, exact: bool) -> Hit:
    line = f"{row.settlement}, {row.currency}, {row.phase} · of {row.organization.name} · {row.public_id}"
    return Hit(row.name, line, reverse("admin:accounts_billingaccount_change", args=[row.pk]), exact)


def _project_hit(row: Project, *, exact: bool) -> Hit:
    url = reverse("admin:accounts_project_change", args=[row.pk])
    return Hit(row.name, f"of {row.organization.name} · {row.public_id}", url, exact)


def _is(term: str, *names: str) -> bool:
    return term.casefold() in {name.casefold() for name in names}
