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

_log = logging.getLogger("gateway.serving")


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

        return Parts(self.service, self.ledger, lambda: self.policies.current, self.metrics)

    async def close(self) -> None:
        """Let reviews under way finish, record what is decided, and let the database go."""
        try:
            async with asyncio.timeout(self.close_s):
                await self.service.close()
        except TimeoutError:
            _log.warning("stopped with reviews under way")
        await self.ledger.close()


async def open_council(settings: Settings) -> Council:
    """Put a council together: policy, ledger, graph, service.

    Raises:
        InvalidPolicyError: where the policy file is not valid.
        LedgerConfigError: for a database URL that cannot be used.
        LedgerUnavailableError: where the record store cannot be opened now.
    """
    from council.graph import build_graph  # noqa: PLC0415
    from council.ledger.opening import open_ledger  # noqa: PLC0415
    from council.service import CouncilService  # noqa: PLC0415
    from gateway.counted_policies import CountedPolicySource  # noqa: PLC0415
    from gateway.metrics import Metrics  # noqa: PLC0415
    from gateway.observed_ledger import observed  # noqa: PLC0415

    metrics = Metrics()
    policies = CountedPolicySource(settings.policy_path or default_policy_path(), metrics)
    ledger = observed(open_ledger(settings.database_url.get_secret_value()), metrics)
    service = CouncilService(
        ledger=ledger,
        current_policy=lambda: policies.current,
        graph=build_graph(lambda: policies.current),
        max_bytes=settings.max_body_bytes,
        default_deadline_ms=settings.default_deadline_ms,
    )
    return Council(service, ledger, policies, metrics, float(settings.shutdown_grace_s))
