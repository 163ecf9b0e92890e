"""The composition root: the one place that names adapters and puts the council together.

The graph and the ledger's drivers are imported late: a process that only reads settings must not wait for them.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.errors import SettingsError
from gateway.settings import Settings, key_variables
from policies.loading import default_policy_path
from policies.reloading import PolicySource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.models.cassettes import Cassette
    from agents.models.endpoints import Endpoints
    from agents.ports import Observer
    from council.ledger.port import Ledger
    from council.service import CouncilService
    from gateway.metrics import Metrics
    from gateway.parts import Parts
    from gateway.tracing import Tracing

_log = logging.getLogger("gateway.serving")


@dataclass(frozen=True, slots=True)
class Council:
    """A council that is ready to decide.

    Attributes:
        service: what decides.
        ledger: where decisions are recorded.
        policies: where the live policy comes from.
        metrics: what is counted.
        endpoints: where members' models answer.
        cassette: what models answer is recorded to or served from; None: neither.
        tracing: where spans go; nowhere unless OTEL_ variables ask for it.
        close_s: how long `close` waits for reviews under way, seconds.
    """

    service: "CouncilService"
    ledger: "Ledger"
    policies: PolicySource
    metrics: "Metrics"
    endpoints: "Endpoints"
    cassette: "Cassette | None"
    tracing: "Tracing"
    close_s: float

    def parts(self) -> "Parts":
        """Return the council as the HTTP application sees it."""
        from gateway.parts import Parts  # noqa: PLC0415

        return Parts(self.service, self.ledger, lambda: self.policies.current, self.metrics, self.resting)

    def resting(self) -> tuple[str, ...]:
        """Return the model endpoints that failed and have not answered since (reliability.md, L20)."""
        return tuple([status.endpoint for status in self.endpoints.statuses() if status.state != "closed"])

    async def close(self) -> None:
        """Let reviews under way finish, record what is decided, and let the database go."""
        try:
            async with asyncio.timeout(self.close_s):
                await self.service.close()
        except TimeoutError:
            _log.warning("stopped with reviews under way")
        await self.endpoints.close()
        if self.cassette is not None:
            with _told_as_setting():
                self.cassette.close()
        await self.ledger.close()
        await self.tracing.close()


async def open_council(settings: Settings, observer: "Observer | None" = None) -> Council:
    """Put a council together: policy, ledger, models, graph, service.

    Args:
        observer: sees what members' models do, beside the metrics.

    Raises:
        InvalidPolicyError: where the policy file is not valid.
        LedgerConfigError: for a database URL that cannot be used.
        LedgerUnavailableError: where the record store cannot be opened now.
        SettingsError: where the cassette or the traces' destination cannot be used.
    """
    from agents.models.endpoints import Endpoints  # noqa: PLC0415
    from agents.models.judge import ModelJudge  # noqa: PLC0415
    from council.graph import build_graph  # noqa: PLC0415
    from council.journal import JournallingJudge  # noqa: PLC0415
    from council.ledger.opening import open_ledger  # noqa: PLC0415
    from council.purse import LedgerPurse  # noqa: PLC0415
    from council.service import Clock, CouncilService  # noqa: PLC0415
    from gateway.counted_policies import CountedPolicySource  # noqa: PLC0415
    from gateway.metrics import Metrics  # noqa: PLC0415
    from gateway.model_metrics import MeteredModels, Observers  # noqa: PLC0415
    from gateway.observed_ledger import observed  # noqa: PLC0415
    from gateway.tracing import open_tracing  # noqa: PLC0415

    tracing = open_tracing()
    metrics = Metrics()
    policies = CountedPolicySource(settings.policy_path or default_policy_path(), metrics, settings.models)
    ledger = observed(open_ledger(settings.database_url.get_secret_value()), metrics)
    cassette = _cassette(settings.cassette)
    endpoints = Endpoints(
        _keys(settings, policies),
        around=lambda sockets: tracing.around(sockets if cassette is None else cassette.around(sockets)),
    )
    await endpoints.warm(seat.model for seat in policies.current.members.values() if seat.model is not None)
    purse = LedgerPurse(ledger, Clock().now)
    watching = [MeteredModels(metrics), *([observer] if observer is not None else [])]
    judge = JournallingJudge(tracing.judge(ModelJudge(endpoints, purse, Observers(watching))), ledger)
    service = CouncilService(
        ledger=ledger,
        current_policy=lambda: policies.current,
        graph=build_graph(lambda: policies.current, judge),
        purse=purse,
        tracer=tracing.tracer,
        max_bytes=settings.max_body_bytes,
        default_deadline_ms=settings.default_deadline_ms,
    )
    return Council(service, ledger, policies, metrics, endpoints, cassette, tracing, float(settings.shutdown_grace_s))


def _cassette(setting: str | None) -> "Cassette | None":
    """Open the cassette that the setting names: record:FILE or replay:FILE.

    Raises:
        SettingsError: where it cannot be read or written.
    """
    if setting is None:
        return None
    # Late: it stands on the models' client library, which a council of rules does without.
    from agents.models.cassettes import Cassette  # noqa: PLC0415

    mode, _, path = setting.partition(":")
    with _told_as_setting():
        return Cassette.recording(path) if mode == "record" else Cassette.replaying(path)


@contextmanager
def _told_as_setting() -> Iterator[None]:
    """Tell what is wrong with a cassette as what is wrong with the setting that names it."""
    from agents.models.cassette_file import CassetteError  # noqa: PLC0415 - as above

    try:
        yield
    except CassetteError as error:
        raise SettingsError([f"COUNCIL_CASSETTE: {error}"]) from error


def _keys(settings: Settings, policies: PolicySource) -> "Mapping[str, str]":
    """Return the values of endpoints' keys; a cassette that is replayed asks nobody and needs none."""
    if settings.cassette is None or settings.cassette.startswith("record:"):
        return key_variables()
    from gateway.story_model_uses import story_uses  # noqa: PLC0415 - nobody else here needs it

    uses = [seat.model for seat in policies.current.members.values() if seat.model is not None]
    uses += story_uses(settings, policies.current).values()
    return {use.endpoint.key: "replayed" for use in uses if use.endpoint.key is not None}
