from payments.providers.contract import Capabilities, Provider


class ManualProvider(Provider):
    """Finance staff record the bank transfers that arrive."""

    name = "manual"
    label = "manual"

    def capabilities(self) -> Capabilities:
        return Capabilities(staff_transfers=True)
