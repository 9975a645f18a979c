"""Doors of the back office: how money arrived."""

from payments.admin import bank_transfers

__all__ = ["bank_transfers"]
