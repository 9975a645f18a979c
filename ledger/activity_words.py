"""The sentences of this room's acts."""

from accounts.activity import Words, register

_MONEY = {
    "ledger.adjust": "adjusted the balance of {account} by {amount}",
    "ledger.correct": "corrected a transaction of {account}: {amount}",
    "ledger.grant_credit": "granted {account} a credit of {amount}",
    "allocation.credit_overrun": "gave {account} back {amount} that was billed after a release",
    "balance.deplete": "found the balance of {account} used up",
}
_USAGE = {
    "accrual.park": "set the billing of {account} aside",
    "accrual.unpark": "took up the billing of {account} again",
    "accrual.retry": "had the billing of {account} tried again",
}


def say() -> None:
    """Called once, when the room is ready."""
    for kind, texts in (("money", _MONEY), ("usage", _USAGE)):
        register({action: Words(kind, text) for action, text in texts.items()})
