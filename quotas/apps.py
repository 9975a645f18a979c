from django.apps import AppConfig


class QuotasConfig(AppConfig):
    name = "quotas"

    def ready(self) -> None:
        from accounts import guards, policy_scopes
        from quotas.archive_guard import nothing_runs
        from quotas.models import Allocation
        from quotas.policy_subjects import allocation_subject
        from quotas.rebind_guard import rates_exist

        guards.register("project.rebind", rates_exist)
        guards.register("account.archive", nothing_runs)
        policy_scopes.register_finder(Allocation.PUBLIC_PREFIX, allocation_subject)
