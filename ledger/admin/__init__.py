"""Doors of the back office: the book, and the acts that adjust and correct it."""

from ledger.admin import accounts, entries, schedules, transactions, usage_records

__all__ = ["accounts", "entries", "schedules", "transactions", "usage_records"]
