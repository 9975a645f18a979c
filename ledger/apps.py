from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        from accounts import approvals, guards, policy
        from ledger import adjustments, archive_guard, corrections, schedules

        approvals.register(approvals.Act(adjustments.ACT, adjustments.adjust, adjustments.describe))
        approvals.register(approvals.Act(corrections.ACT, corrections.correct, corrections.describe))
        guards.register("account.archive", archive_guard.nothing_is_owed)
        policy.on_change("billing.window_seconds", schedules.wake)
