"""The sentences of this room's acts."""

from accounts.activity import Words, register


def say() -> None:
    """Called once, when the room is ready."""
    register(
        {
            "payments.record_transfer": Words("money", "recorded a bank transfer for {account}: {amount}"),
            "billing_provider.switch": Words(
                "policy", "switched the payment provider from {before.provider} to {after.provider}"
            ),
        }
    )
