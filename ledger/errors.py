"""Refusals of this room."""

from accounts.errors import Conflict, DomainError


class InsufficientBalance(Conflict):
    code = "insufficient_balance"
    field = "amount_minor"


class AlreadyPosted(Conflict):
    """The business key is on the book: this money is already written."""

    code = "already_posted"


class Unbalanced(DomainError):
    code = "unbalanced"


class Unpriced(DomainError):
    """A window is due, but no rate or quantity is in force where the cursor stands."""

    code = "unpriced_usage"

    def __init__(self, account_ids: list[int]) -> None:
        super().__init__("a window is due for which no rate is in force in the account's currency")
        self.account_ids = account_ids
