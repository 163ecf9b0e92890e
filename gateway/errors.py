"""What the gateway raises: settings that cannot be used."""

from collections.abc import Sequence


class GatewayError(Exception):
    """Base of everything the gateway package raises."""


class SettingsError(GatewayError):
    """the environment holds settings that cannot be used; `faults` names every one with its fix"""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))
