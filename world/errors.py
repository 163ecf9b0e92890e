"""What the world package raises: bad use and faults; a refusal by its rules is a value."""


class WorldError(Exception):
    """Base of everything the world package raises."""


class UnknownRealmError(WorldError):
    """there is no such realm"""

    def __init__(self, realm_id: str) -> None:
        self.realm_id = realm_id
        super().__init__(f"there is no realm {realm_id!r}; 'council world seed' makes one")


class StoreConfigError(WorldError):
    """the world's store is set up wrongly: its URL or its file cannot be used"""


class StoreUnavailableError(WorldError):
    """the world's database cannot be reached or written now; nothing of this call was committed"""

    def __init__(self, reason: str, *, retry_after_s: int = 1) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"the world's store is unavailable: {reason}")


class LeaseLostError(WorldError):
    """another worker has taken the realm over since; what this one computed is thrown away"""

    def __init__(self, realm_id: str) -> None:
        super().__init__(f"the lease of realm {realm_id!r} was taken over by another worker")


class MovedOnError(WorldError):
    """the realm has moved on: the snapshot that this call builds on is no longer the latest"""

    def __init__(self, realm_id: str, expected: str, latest: str) -> None:
        self.expected = expected
        self.latest = latest
        super().__init__(f"realm {realm_id!r} stands at {latest}, not at {expected}")


class RulesUnknownError(WorldError):
    """a snapshot was made by rules that are not at hand, so that it cannot be replayed"""

    def __init__(self, snapshot_id: str, rules_hash: str) -> None:
        self.rules_hash = rules_hash
        super().__init__(f"{snapshot_id} was made by the rules {rules_hash[:12]}; give the world file of that version")
