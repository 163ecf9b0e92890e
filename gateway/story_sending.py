"""The world as a story's deeds reach it: the ingestion of this process, whose ledger is every process's."""

from collections.abc import Sequence
from typing import Final

from gateway.story_metrics import StoryMetrics
from policies.contracts.request import ImpactCandidate
from story.ledger.port import StoryStore
from story.service.deeds import Sender, Taken
from world.service.ingestion import Ingestion
from world.service.ingestion import Taken as Entered
from world.service.scheduling import Duty

SEND_MS: Final = 2_000
"""Pause between looks for deeds that the world has not taken."""


class IngestingWorld:
    """Takes the deeds of stories in.

    A deed was scored by nobody yet: the points in it are the catalogue's, and the pipeline judges it like any other act. Rate
    limits of senders do not hold for it: a chapter was closed once, by a service.

    Args:
        ingestion: judges acts and enters them.
        metrics: of the story.
    """

    def __init__(self, ingestion: Ingestion, metrics: StoryMetrics) -> None:
        self._ingestion = ingestion
        self._metrics = metrics

    async def take(self, candidates: Sequence[ImpactCandidate], correlation_id: str | None) -> Sequence[Taken]:
        """Submit acts of one realm, in order.

        Raises:
            WorldError: where the world cannot take them now.
        """
        found = await self._ingestion.submit(candidates, correlation_id)
        for each in found:
            self._metrics.deeds.labels(each.row.state).inc()
        return [_taken(each) for each in found]


def _taken(found: Entered) -> Taken:
    told = found.rejected.told if found.rejected is not None else found.row.because
    return Taken(found.row.event_id, found.row.state, told)


def sending(sender: Sender, store: StoryStore, metrics: StoryMetrics) -> Duty:
    """Return the sending of deeds as what a worker does between ticks: those that a service could not send itself.

    The metrics show afterwards what waits and what was given up, of all processes: both stand in the store.
    """

    async def run() -> int:
        taken = await sender.send()
        for state, deeds in (await store.unsent_deeds()).items():
            metrics.child(metrics.unsent, state).set(deeds)
        return taken

    return Duty("deeds", SEND_MS, run)
