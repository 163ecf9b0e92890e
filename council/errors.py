"""What the council raises: bad use and faults, never a refusal by the rules (that is a verdict)."""

from collections.abc import Sequence


class CouncilError(Exception):
    """Base of everything the council package raises."""


class UnknownRealmError(CouncilError):
    """the policy knows no such realm"""

    def __init__(self, realm_id: str, known: Sequence[str]) -> None:
        self.realm_id = realm_id
        self.known = tuple(known)
        super().__init__(f"unknown realm {realm_id!r}; the policy knows: {', '.join(self.known)}")


class KeyConflictError(CouncilError):
    """the idempotency key was used for another request"""

    def __init__(self, request_key: str, decision_id: str) -> None:
        self.request_key = request_key
        self.decision_id = decision_id
        super().__init__(
            f"the key {request_key!r} already answered another body (decision {decision_id}); send a new key, or the"
            " same body"
        )


class DecisionPendingError(CouncilError):
    """the deadline passed before the decision was recorded; it goes on, and the same key returns it"""

    def __init__(self, decision_id: str) -> None:
        self.decision_id = decision_id
        super().__init__(f"decision {decision_id} is not recorded yet; ask for it, or send the same request again")
