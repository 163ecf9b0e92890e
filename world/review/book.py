"""The world's view of the council's record: what was decided, looked up by id. For the audit that nothing else was applied."""

from typing import Protocol

from policies.verdicts import Verdict


class DecisionBook(Protocol):
    """Looks decisions up."""

    async def verdict(self, realm_id: str, decision_id: str) -> Verdict | None:
        """Return what the council answered in a realm; None where it recorded no such decision there."""
        ...
