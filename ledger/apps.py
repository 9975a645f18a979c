from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        from accounts import approvals, policy
        from ledger import adjustments, corrections, schedules

        approvals.register(approvals.Act(adjustments.ACT, adjustments.adjust, adjustments.describe))
        approvals.register(approvals.Act(corrections.ACT, corrections.correct, corrections.describe))
        policy.on_change("billing.window_seconds", schedules.wake)
