"""The council's ledger as the world's audit reads it."""

from council.ledger.port import Ledger, answer_bytes
from policies.contracts.answer import Answer
from policies.verdicts import Verdict


class LedgerBook:
    """A `DecisionBook` over the council's ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def verdict(self, realm_id: str, decision_id: str) -> Verdict | None:
        """Return what the council answered; see the port."""
        stored = await self._ledger.get(decision_id)
        if stored is None or stored.realm_id != realm_id:
            return None
        return Answer.model_validate_json(answer_bytes(stored)).final_verdict
