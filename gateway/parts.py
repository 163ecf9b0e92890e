"""What the HTTP application is built from."""

from collections.abc import Callable
from dataclasses import dataclass

from council.ledger.port import Ledger
from gateway.metrics import Metrics
from gateway.review_endpoint import Reviewer
from gateway.story_parts import StoryParts
from gateway.world_parts import WorldParts
from policies.policy import Policy


@dataclass(frozen=True, slots=True)
class Parts:
    """The council as the HTTP application sees it.

    Attributes:
        service: what decides.
        ledger: where decisions are read from.
        current_policy: returns the live policy.
        metrics: what is counted.
        resting: returns the names of model endpoints that do not answer and are left alone for now.
        world: the shared world; None where this process serves the council alone.
        story: what tells players' stories in it; None where nothing does.
    """

    service: Reviewer
    ledger: Ledger
    current_policy: Callable[[], Policy]
    metrics: Metrics
    resting: Callable[[], tuple[str, ...]] = tuple
    world: WorldParts | None = None
    story: StoryParts | None = None
