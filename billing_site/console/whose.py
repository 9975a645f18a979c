"""Whose data is asked for: the caller's organization, and the namespaces they may open.

Foreign and unknown ones answer alike; what is listed instead is what the caller may open, and nothing else.
"""

from django.db.models import Q, QuerySet

from accounts.abilities import READ_PROJECTS
from accounts.api.naming import named
from accounts.api.organizations import organizations_of
from accounts.callers import Caller, visible
from accounts.errors import NotFound
from accounts.models import Organization, Project
from accounts.public_ids import decode
from billing_site.console import namespace_access
from billing_site.console.envelope import NAMESPACE_DENIED, Denied
from quotas.kubernetes.manifests import namespace_of

LONGEST = 127  # two names of 63 and what joins them
MOST = 500


def organization(caller: Caller, name: str | None, needs: str | None) -> Organization:
    """By short name or public id, or the caller's only one. Raises Denied."""
    if name:
        found = _named(caller, name)
    else:
        seats = list(Organization.objects.filter(pk__in=caller.seats).order_by("slug")[:MOST])
        if len(seats) > 1 or (caller.everywhere and not seats):
            known = [one.slug for one in seats]
            said = "Name the organization: ?organization="
            raise Denied(said, status=400, code="organization_required", availableOrganizations=known)
        if not seats:
            raise Denied("Access denied to organization")
        found = seats[0]
    if needs and not caller.may(needs, found.pk):
        raise Denied("Organization admin access required", code="role_insufficient")
    return found


def projects(caller: Caller, within: Organization | None = None) -> QuerySet[Project]:
    """Those that the caller may open, with their organizations, by name."""
    rows = Project.objects.filter(closed_at=None).select_related("organization")
    if within is not None:
        rows = rows.filter(organization=within)
    return visible(rows, caller, READ_PROJECTS, project="pk").order_by("organization__slug", "slug")


def project(caller: Caller, namespace: str, name: str | None = None, needs: str = READ_PROJECTS) -> Project:
    """By the name of its namespace, its short name or its public id; counted. Raises Denied."""
    within = _named(caller, name) if name else None
    rows = [row for row in _called(caller, namespace, within) if caller.may(needs, row.organization_id, row.pk)]
    exact = [row for row in rows if full_name(row) == namespace] or rows
    namespace_access.count(granted=len(exact) == 1)
    if len(exact) == 1:
        return exact[0]
    if exact:
        known = [row.organization.slug for row in exact]
        said = "Name the organization: ?organization="
        raise Denied(said, status=400, code="organization_required", availableOrganizations=known)
    known = _available(caller, namespace, within)
    raise Denied(NAMESPACE_DENIED, namespace=namespace[:LONGEST], availableNamespaces=known)


def full_name(row: Project) -> str:
    return namespace_of(row.organization.slug, row.slug)


def _named(caller: Caller, name: str) -> Organization:
    rows = organizations_of(caller)
    found = None if "\x00" in name else rows.filter(slug=name).first()
    try:
        return found or named(rows, name, what="organization")
    except NotFound:
        raise Denied("Access denied to organization") from None


def _called(caller: Caller, namespace: str, within: Organization | None) -> list[Project]:
    if len(namespace) > LONGEST or "\x00" in namespace:
        return []
    wanted = Q(organization__in=[within.pk] if within else list(caller.seats), slug=namespace)
    for place, letter in enumerate(namespace):
        if letter == "-":
            wanted |= Q(organization__slug=namespace[:place], slug=namespace[place + 1 :])
    if key := decode(Project.PUBLIC_PREFIX, namespace):
        wanted |= Q(pk=key)
    return list(projects(caller, within).filter(wanted)[:MOST])


def _available(caller: Caller, namespace: str, within: Organization | None) -> list[str]:
    """In the form in which it was asked: short names, or whole ones where one was meant or several are known."""
    if within is None and not caller.seats:
        return []
    rows = projects(caller, within)
    rows = rows if within else rows.filter(organization__in=caller.seats)
    found = list(rows[:MOST])
    homes = {row.organization.slug for row in found}
    whole = len(homes) > 1 or any(namespace.startswith(f"{slug}-") for slug in homes)
    return [full_name(row) if whole else row.slug for row in found]
