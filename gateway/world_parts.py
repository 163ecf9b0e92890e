"""What the world's endpoints are built from."""

from dataclasses import dataclass

from gateway.feed_parts import FeedParts
from gateway.rate_limits import RateLimits
from gateway.world_decisions import Decisions
from gateway.world_signature import BodySignature
from world.persistence.port import WorldStore
from world.realm.rules_document import World
from world.service.clock import Clock
from world.service.ingestion import Ingestion
from world.service.moments import MomentReader
from world.service.realms import RealmReader
from world.service.sovereign import Sovereignty
from world.service.ticking import Ticker
from world.service.verdicts import Verdicts


@dataclass(frozen=True, slots=True)
class WorldParts:
    """The shared world as the HTTP application sees it.

    Attributes:
        world: its file: rules, locks, where a realm starts.
        store: where it is kept.
        realms: reads the latest state of a realm.
        moments: reads what views are made from.
        ingestion: takes acts in.
        ticker: runs ticks.
        verdicts: applies decisions.
        sovereignty: takes up sovereign actions.
        decisions: where decisions stand on record.
        clock: milliseconds since 1970.
        signature: checks who sent acts, where a secret is set.
        limits: how often acts may be reported; None: as often as anybody likes.
        max_body_bytes: largest body accepted.
        body_timeout_s: how long a caller may take to send it, seconds.
        feed: what readers of the live feed hold on to; None: there is no live feed.
    """

    world: World
    store: WorldStore
    realms: RealmReader
    moments: MomentReader
    ingestion: Ingestion
    ticker: Ticker
    verdicts: Verdicts
    sovereignty: Sovereignty
    decisions: Decisions
    clock: Clock
    signature: BodySignature | None
    limits: RateLimits | None
    max_body_bytes: int
    body_timeout_s: float
    feed: FeedParts | None = None
