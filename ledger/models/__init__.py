from ledger.models.balance_states import (
    BalanceState,
    BalanceTransition,
    Depletion,
    ForceRelease,
    LowBalanceEpisode,
    State,
)
from ledger.models.book import LedgerAccount, LedgerEntry, LedgerTransaction
from ledger.models.credits import CreditLot
from ledger.models.totals import DailyTotal, DailyTotalIncrement
from ledger.models.usage import AccrualCursor, AccrualSchedule, UsageRecord
from ledger.models.verification import VerificationRun

__all__ = [
    "AccrualCursor",
    "AccrualSchedule",
    "BalanceState",
    "BalanceTransition",
    "CreditLot",
    "DailyTotal",
    "DailyTotalIncrement",
    "Depletion",
    "ForceRelease",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "LowBalanceEpisode",
    "State",
    "UsageRecord",
    "VerificationRun",
]
