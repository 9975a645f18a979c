"""Low-balance episodes: one warning when a balance leaves `healthy`, one advisory, and quiet until it is back."""

from datetime import datetime
from decimal import Decimal

from accounts.models import BillingAccount
from accounts.outbox import emit
from ledger import topics
from ledger.balance_rule import Terms, projected_depletion
from ledger.models import LowBalanceEpisode, State


def open_episode(
    account: BillingAccount, balance_minor: int, terms: Terms, state: State, *, at: datetime
) -> LowBalanceEpisode:
    """Open an episode and warn, once: the database refuses a second open one."""
    episode = LowBalanceEpisode.objects.create(
        billing_account=account, opened_at=at, balance_minor=balance_minor, threshold_minor=terms.threshold_minor
    )
    emit(
        topics.LOW_BALANCE_WARNING,
        {
            "account": account.public_id,
            "balance_minor": balance_minor,
            "threshold_minor": terms.threshold_minor,
            "currency": account.currency,
            "episode": episode.public_id,
            "state": str(state),
        },
        at=at,
        account=account,
    )
    return episode


def open_episode_of(account: BillingAccount) -> LowBalanceEpisode:
    """The episode that is open; an account that is not healthy has one."""
    return LowBalanceEpisode.objects.get(billing_account=account, closed_at=None)


def advise(account: BillingAccount, balance_minor: int, burn_minor_per_hour: Decimal, *, at: datetime) -> None:
    """Say, once an episode, when the balance will be used up at the present burn."""
    episode = open_episode_of(account)
    if episode.advised_at is not None:
        return
    projected = projected_depletion(balance_minor, burn_minor_per_hour, at) or at
    episode.advised_at, episode.projected_depletion_at = at, projected
    episode.save(update_fields=["advised_at", "projected_depletion_at"])
    emit(
        topics.AUTO_RELEASE_PENDING,
        {
            "account": account.public_id,
            "balance_minor": balance_minor,
            "currency": account.currency,
            "burn_minor_per_hour": f"{burn_minor_per_hour.normalize():f}",
            "episode": episode.public_id,
            "projected_depletion_at": projected.isoformat(),
        },
        at=at,
        account=account,
    )


def close_episode(account: BillingAccount, *, at: datetime) -> None:
    """The balance is healthy again; the next fall warns anew."""
    LowBalanceEpisode.objects.filter(billing_account=account, closed_at=None).update(closed_at=at)
