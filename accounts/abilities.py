"""What a caller may be allowed to do, by name. The same names are the scopes of an API key."""

from accounts.models import OrganizationRole

READ_BILLING = "billing:read"  # accounts, balances, entries, subscriptions, policies in force
WRITE_BILLING = "billing:write"  # accounts, their details, bindings
READ_PROJECTS = "projects:read"  # projects, their allocations and limits
WRITE_PROJECTS = "projects:write"  # open and close projects, their own quotas
USE_PROJECTS = "allocations:write"  # start, resize and release what runs
READ_MEMBERS = "members:read"
WRITE_MEMBERS = "members:write"
READ_EVENTS = "events:read"
REPORT_USAGE = "usage:write"  # what the platform measures
CONFIRM_RELEASES = "releases:confirm"  # what the platform has let go

READS = frozenset({READ_BILLING, READ_PROJECTS, READ_MEMBERS, READ_EVENTS})
WRITES = frozenset({WRITE_BILLING, WRITE_PROJECTS, USE_PROJECTS, WRITE_MEMBERS})
OF_THE_PLATFORM = frozenset({REPORT_USAGE, CONFIRM_RELEASES})
EVERY = READS | WRITES | OF_THE_PLATFORM

OF_ROLES: dict[str, frozenset[str]] = {
    OrganizationRole.ORG_ADMIN: READS | WRITES,
    OrganizationRole.BILLING_ADMIN: frozenset({READ_BILLING, WRITE_BILLING, READ_PROJECTS, READ_MEMBERS, READ_EVENTS}),
    OrganizationRole.BILLING_VIEWER: frozenset({READ_BILLING, READ_PROJECTS}),
    OrganizationRole.PROJECT_USER: frozenset({READ_PROJECTS, USE_PROJECTS}),  # at the projects they are let into
    OrganizationRole.GUEST: frozenset(),
}

# Members of staff hold these at every organization.
OF_STAFF: dict[str, frozenset[str]] = {"view": READS, "operate": WRITES | OF_THE_PLATFORM}
