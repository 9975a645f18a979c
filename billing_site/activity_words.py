"""The sentences of the acts of runbooks and of signing in."""

from accounts.activity import Words, register


def say() -> None:
    """Called once, when the site is ready."""
    register(
        {
            "accrual.drain_asked": Words("usage", "asked for all due usage to be billed"),
            "accrual.drain": Words("usage", "had all due usage billed"),
            "identity.link": Words("access", "signed in by single sign-on for the first time"),
            "identity.open": Words("access", "came in by single sign-on"),
            "second_factor.add": Words("access", "enrolled a second factor ({after.factor})"),
            "second_factor.remove": Words("access", "removed a second factor ({before.factor})"),
            "second_factor.renew": Words("access", "made new recovery codes"),
        }
    )
