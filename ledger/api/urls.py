"""This room's addresses under /api/v1/."""

from django.urls import path

from ledger.api.acts import Adjustment, Correction, Credit
from ledger.api.balances import BalanceOfAccount, Balances
from ledger.api.entries import Entries, OneEntry
from ledger.api.usage_records import UsageRecords

urlpatterns = [
    path("balances", Balances.as_view()),
    path("billing-accounts/<str:account>/balance", BalanceOfAccount.as_view()),
    path("billing-accounts/<str:account>/entries", Entries.as_view()),
    path("allocations/<str:allocation>/usage-records", UsageRecords.as_view()),
    path("billing-accounts/<str:account>/credits", Credit.as_view()),
    path("billing-accounts/<str:account>/adjustments", Adjustment.as_view()),
    path("ledger-entries/<str:entry>", OneEntry.as_view()),
    path("ledger-transactions/<str:transaction>/correction", Correction.as_view()),
]
