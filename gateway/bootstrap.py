"""The composition root: the one place that names adapters and puts the council together.

The graph and the ledger's drivers are imported late: a process that only reads settings must not wait for them.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.settings import Settings
from policies.loading import default_policy_path
from policies.reloading import PolicySource

if TYPE_CHECKING:
    from council.ledger.port import Ledger
    from council.service import CouncilService
    from gateway.metrics import Metrics
    from gateway.parts import Parts

_log = logging.getLogger("gateway.policy")


@dataclass(frozen=True, slots=True)
class Council:
    """A council that is ready to decide.

    Attributes:
        service: what decides.
        ledger: where decisions are recorded.
        policies: where the live policy comes from.
        metrics: what is counted.
        close_s: how long `close` waits for reviews under way, seconds.
    """

    service: "CouncilService"
    ledger: "Ledger"
    policies: PolicySource
    metrics: "Metrics"
    close_s: float

    def parts(self) -> "Parts":
        """Return the council as the HTTP application sees it."""
        from gateway.parts import Parts  # noqa: PLC0415

        return Parts(self.service, self.ledger, self.policies.current, self.metrics)

    async def close(self) -> None:
        """Let reviews under way finish, record what is decided, and let the database go."""
        try:
            async with asyncio.timeout(self.close_s):
                await self.service.close()
        except TimeoutError:
            _log.warning("stopped with reviews under way")
        await self.ledger.close()
