from django.apps import AppConfig


class QuotasConfig(AppConfig):
    name = "quotas"

    def ready(self) -> None:
        from accounts import approvals, enforcement, guards, policy, policy_scopes, reactions
        from quotas import activity_words, catalog_publishing, offers
        from quotas import reactions as own
        from quotas.archive_guard import nothing_runs, nothing_runs_in
        from quotas.holdings import PROJECTS_LIMIT
        from quotas.kubernetes import rings
        from quotas.models import Allocation
        from quotas.policy_subjects import allocation_subject, plan_exists, plan_name, plan_of
        from quotas.rebind_guard import rates_exist

        approvals.register(
            approvals.Act(catalog_publishing.ACT, catalog_publishing.perform, catalog_publishing.describe)
        )
        approvals.register(approvals.Act(offers.ACT, offers.perform, offers.describe))
        activity_words.say()
        guards.register("project.rebind", rates_exist)
        guards.register("account.archive", nothing_runs)
        guards.register("project.close", nothing_runs_in)
        policy_scopes.register_finder(Allocation.PUBLIC_PREFIX, allocation_subject)
        policy_scopes.register_subject("plan", plan_exists, prefix="plan", name=plan_name)
        policy_scopes.register_plan_of(plan_of)
        policy.on_change(PROJECTS_LIMIT, own.projects_limit_changed)
        reactions.register(catalog_publishing.PUBLISHED, own.catalog_published)
        reactions.register(enforcement.CHANGED, own.enforcement_changed)
        reactions.register("organization.closed", own.organization_closed)
        reactions.register(enforcement.CHANGED, rings.enforcement_changed)
