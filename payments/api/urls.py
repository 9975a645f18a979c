"""This room's addresses under /api/v1/."""

from django.urls import path

from payments.api.bank_transfers import BankTransfers, OneBankTransfer

urlpatterns = [
    path("bank-transfers", BankTransfers.as_view()),
    path("bank-transfers/<str:transfer>", OneBankTransfer.as_view()),
]
