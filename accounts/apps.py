from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import approvals, policy_approval

        approvals.register(approvals.Act(policy_approval.ACT, policy_approval.set_policy, policy_approval.describe))
