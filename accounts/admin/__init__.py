"""Doors of the back office: pages that show what this room keeps and call its acts."""

from accounts.admin import api_keys, approvals, audit, issuers, organizations, outbox, policies, staff

__all__ = ["api_keys", "approvals", "audit", "issuers", "organizations", "outbox", "policies", "staff"]
