from payments.providers.contract import Capabilities, Provider


class NoneProvider(Provider):
    """Quotas and the book without any payments: nobody can start one."""

    name = "none"
    label = "no payments"

    def capabilities(self) -> Capabilities:
        return Capabilities()
