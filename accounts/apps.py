from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import activity_words, policy_approval, policy_subjects

        policy_subjects.register()
        policy_approval.register()
        activity_words.say()
