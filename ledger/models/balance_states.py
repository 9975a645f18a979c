"""Where a prepaid balance stands, and what followed from it. Rules: docs/postings.md, "Balance state"."""

from django.db import models
from django.db.models import F, Q

from accounts.models import BillingAccount
from accounts.public_ids import PublicId
from quotas.models import Allocation


class State(models.TextChoices):
    HEALTHY = "healthy"
    LOW_BALANCE = "low_balance"
    AUTO_RELEASE_PENDING = "auto_release_pending"
    DEPLETED = "depleted"


class BalanceState(models.Model):
    """The state an account was last judged to be in; opened with every prepaid account, in `healthy`.

    `burn_minor_per_hour` is Σ rate × quantity of what runs, in minor units of the account's currency, as of `burn_at`;
    `rates_seen` is the newest rate it knows of. `judge_due` asks the next ring to judge it again. A balance above
    `healthy_above_minor` is healthy by that burn and the policies it was judged by; null where that is not known.
    """

    billing_account = models.OneToOneField(
        BillingAccount, primary_key=True, on_delete=models.PROTECT, related_name="balance_state"
    )
    state = models.CharField(max_length=24, choices=State.choices, default=State.HEALTHY)
    since = models.DateTimeField()
    burn_minor_per_hour = models.DecimalField(max_digits=60, decimal_places=16, default=0)
    burn_at = models.DateTimeField()
    rates_seen = models.BigIntegerField(default=0)
    judge_due = models.BooleanField(default=False)
    healthy_above_minor = models.BigIntegerField(null=True)

    class Meta:
        db_table = "balance_states"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="balance_state_is_known"),
            models.CheckConstraint(condition=Q(burn_minor_per_hour__gte=0), name="balance_burn_is_not_negative"),
            models.CheckConstraint(condition=Q(healthy_above_minor__gte=0), name="balance_zero_is_never_healthy"),
        ]
        indexes = [
            models.Index(fields=["state", "billing_account"], condition=~Q(state="healthy"), name="balance_states_low"),
            models.Index(fields=["billing_account"], condition=Q(judge_due=True), name="balance_states_to_judge"),
        ]

    def __str__(self) -> str:
        return f"{self.billing_account_id}: {self.state}"


class BalanceTransition(models.Model):
    """One step from a state to the next, and the figures it was judged by. Append-only."""

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="balance_transitions")
    before = models.CharField(max_length=24, choices=State.choices)
    after = models.CharField(max_length=24, choices=State.choices)
    balance_minor = models.BigIntegerField()
    burn_minor_per_hour = models.DecimalField(max_digits=60, decimal_places=16)
    threshold_minor = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "balance_transitions"
        indexes = [models.Index(fields=["billing_account", "-id"], name="balance_transitions_newest")]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class LowBalanceEpisode(PublicId, models.Model):
    """From leaving `healthy` to the return to it: one warning, one advisory. Closed once, never reopened."""

    PUBLIC_PREFIX = "epi"

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="low_balance_episodes")
    opened_at = models.DateTimeField()
    balance_minor = models.BigIntegerField()
    threshold_minor = models.BigIntegerField()
    advised_at = models.DateTimeField(null=True)
    projected_depletion_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "low_balance_events"
        constraints = [
            models.UniqueConstraint(
                fields=["billing_account"], condition=Q(closed_at=None), name="one_open_episode_per_account"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Depletion(PublicId, models.Model):
    """One fall to zero. `requested_at` is the clock when release was asked for.

    [tail_from, tail_until) is the usage that an outage of ours failed to stop and that is waived; empty in normal
    running, and where the policy says it is billed.
    """

    PUBLIC_PREFIX = "dep"

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="depletions")
    episode = models.ForeignKey(LowBalanceEpisode, on_delete=models.PROTECT, related_name="depletions")
    depleted_at = models.DateTimeField()
    requested_at = models.DateTimeField()
    balance_minor = models.BigIntegerField()
    tail_from = models.DateTimeField(null=True)
    tail_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "depletions"
        constraints = [
            models.UniqueConstraint(
                fields=["billing_account"], condition=Q(closed_at=None), name="one_open_depletion_per_account"
            ),
            models.CheckConstraint(
                condition=Q(tail_from=None, tail_until=None)
                | Q(
                    tail_from__isnull=False,
                    tail_until__isnull=False,
                    tail_from__gte=F("depleted_at"),
                    tail_until=F("requested_at"),
                    tail_until__gt=F("tail_from"),
                ),
                name="depletion_tail_is_an_interval",
            ),
        ]
        indexes = [
            models.Index(
                fields=["billing_account", "tail_until"], condition=~Q(tail_from=None), name="depletions_with_a_tail"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class ForceRelease(models.Model):
    """The platform was asked to take a machine down, once for each depletion and allocation. Append-only."""

    depletion = models.ForeignKey(Depletion, on_delete=models.PROTECT, related_name="force_releases")
    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="force_releases")
    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="force_releases")
    requested_at = models.DateTimeField()

    class Meta:
        db_table = "force_release_requests"
        constraints = [
            models.UniqueConstraint(fields=["depletion", "allocation"], name="one_release_request_per_depletion"),
        ]

    def __str__(self) -> str:
        return f"{self.depletion_id} · {self.allocation_id}"
