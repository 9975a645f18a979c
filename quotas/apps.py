from django.apps import AppConfig


class QuotasConfig(AppConfig):
    name = "quotas"

    def ready(self) -> None:
        from accounts import guards
        from quotas.archive_guard import nothing_runs
        from quotas.rebind_guard import rates_exist

        guards.register("project.rebind", rates_exist)
        guards.register("account.archive", nothing_runs)
