from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from accounts import approvals
        from payments import activity_words, bank_transfers

        activity_words.say()
        approvals.register(approvals.Act(bank_transfers.ACT, bank_transfers.record_transfer, bank_transfers.describe))
