"""Doors of the back office: how money arrived, and from which provider more may come."""

from payments.admin import bank_transfers, provider_switches

__all__ = ["bank_transfers", "provider_switches"]
