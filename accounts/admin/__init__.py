"""Doors of the back office: pages that show what this room keeps and call its acts."""

from accounts.admin import approvals, audit, organizations, outbox, policies, staff

__all__ = ["approvals", "audit", "organizations", "outbox", "policies", "staff"]
