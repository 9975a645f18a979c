from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        from accounts import approvals, event_feed, guards, policy, reactions
        from ledger import (
            activity_words,
            adjustments,
            archive_guard,
            balance_facts,
            balance_reactions,
            corrections,
            credits,
            schedules,
            topics,
        )

        activity_words.say()
        event_feed.keep_from_customers(topics.ACCOUNT_PARKED, topics.ACCOUNT_UNPARKED)
        approvals.register(approvals.Act(adjustments.ACT, adjustments.adjust, adjustments.describe))
        approvals.register(approvals.Act(corrections.ACT, corrections.correct, corrections.describe))
        approvals.register(approvals.Act(credits.ACT, credits.grant_credit, credits.describe))
        guards.register("account.archive", archive_guard.nothing_is_owed)
        guards.register("project.close", archive_guard.nothing_waits_in)
        policy.on_change("billing.window_seconds", schedules.wake)
        for key in (balance_facts.THRESHOLD, balance_facts.PROJECTION):
            policy.on_change(key, balance_reactions.policy_changed)
        reactions.register("allocation.changed", balance_reactions.allocation_changed)
        reactions.register("subscription.changed", balance_reactions.subscription_changed)
        reactions.register("project.rebound", balance_reactions.project_rebound)
