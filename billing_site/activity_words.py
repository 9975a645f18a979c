"""The sentences of the acts of runbooks."""

from accounts.activity import Words, register


def say() -> None:
    """Called once, when the site is ready."""
    register(
        {
            "accrual.drain_asked": Words("usage", "asked for all due usage to be billed"),
            "accrual.drain": Words("usage", "had all due usage billed"),
        }
    )
