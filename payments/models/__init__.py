from payments.models.bank_transfers import BankTransfer

__all__ = ["BankTransfer"]
