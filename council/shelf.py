"""The shelf: policies by content hash, read from the ledger, so that old decisions are explained by what decided them."""

from typing import Any

import orjson

from council.errors import CouncilError
from council.ledger.port import Ledger
from policies.loading import policy_from_document, shadow_hashes
from policies.policy import Policy


class PolicyMissingError(CouncilError):
    """a record names a policy that the ledger does not hold"""

    def __init__(self, content_hash: str) -> None:
        self.content_hash = content_hash
        super().__init__(f"the ledger holds no policy with the hash {content_hash!r}")


class PolicyShelf:
    """Policies of one ledger, each read and compiled once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._policies: dict[str, Policy] = {}

    async def policy(self, content_hash: str) -> Policy:
        """Return the policy of a hash, with its shadows.

        Raises:
            PolicyMissingError: where the ledger holds no such policy.
        """
        if content_hash not in self._policies:
            document = await self._document(content_hash)
            shadows = [await self.policy(shadow) for shadow in shadow_hashes(document)]
            self._policies[content_hash] = policy_from_document(document, shadows)
        return self._policies[content_hash]

    async def _document(self, content_hash: str) -> dict[str, Any]:
        stored = await self._ledger.policy(content_hash)
        if stored is None:
            raise PolicyMissingError(content_hash)
        document: dict[str, Any] = orjson.loads(stored)
        return document
