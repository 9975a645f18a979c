from ledger.models.book import LedgerAccount, LedgerEntry, LedgerTransaction
from ledger.models.totals import DailyTotal, DailyTotalIncrement
from ledger.models.usage import AccrualCursor, AccrualSchedule, UsageRecord
from ledger.models.verification import VerificationRun

__all__ = [
    "AccrualCursor",
    "AccrualSchedule",
    "DailyTotal",
    "DailyTotalIncrement",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "UsageRecord",
    "VerificationRun",
]
