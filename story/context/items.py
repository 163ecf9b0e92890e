"""World items: candidates, what was chosen of them, and what was left out with its reason (domain.md C10).

Items carry ids and numbers of the world, never text that a player wrote (reliability.md, injection 7). Shares are in ppm, as
everywhere in the world, and the names of such facts end in `_ppm`.

What an item's `facts` hold, by kind; the names are those of the holes of the storylets that tell it, and None is "nobody":

    ranking   faction, direction (rises, falls, leads), rank, former_rank, share_ppm, change_ppm
    control   territory, controller, change (taken, kept, contested, war); former where it changed hands, rival where somebody
              else wants it
    trigger   trigger, phase (fired, waiting), severity
    campaign  faction, campaign (the kind of sovereign action), target, is_asked, objectors
    recap     territory, faction, outcome (taken, lost, fought_over, risen, fallen, unmoved), is_against
    verdict   verdict, decision_type, subject, faction; condition and conditions where it modified, reason where it rejected;
              territory, controller and former where a territory changed hands by it, trigger where one fired
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from policies.verdicts import DecisionType, Verdict

ItemKind = Literal["ranking", "control", "trigger", "recap", "campaign", "verdict"]
Scope = Literal["personal", "local", "regional", "global"]
OmittedFor = Literal[
    "irrelevant", "global_without_reason", "not_visible", "not_yet_known", "cooling_down", "same_subject", "too_many",
    "too_many_global", "global_too_soon", "over_budget",
]  # fmt: skip


class HeardVerdict(NamedTuple):
    """A verdict of the council as the story hears it."""

    decision_id: str
    verdict: Verdict
    decision_type: DecisionType
    subject: str
    """Territory, faction, trigger or entity that the change was about."""
    faction_id: str | None
    """Who wanted it."""
    tick: int
    modifications: tuple[str, ...] = ()
    """What the council required, one sentence of the house each; they appear in the plan."""
    reason: str = ""
    """For a rejection: id of what stood against it, such as canon_lock, dominance, votes."""
    effects: tuple[Mapping[str, object], ...] = ()
    """Effects that happened, as requests write them; none for reject and quarantine."""


class Candidate(NamedTuple):
    """One thing of the world that a chapter could tell."""

    item_id: str
    """Stable across chapters, such as control/far-wilds, ranking/empire, trigger/relic_storm, verdict/d-1, recap/u-1."""
    kind: ItemKind
    subject: str
    """What diversity counts by: a territory, faction, trigger or decision."""
    scope: Scope
    magnitude: int
    """How big the change is, 0 to 1,000."""
    tick: int
    """When it happened."""
    places: tuple[str, ...] = ()
    """Territory ids where it is."""
    factions: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    """Every id that it is about, subject, places and factions among them: what threads name, and deeds are counted by."""
    seen_by: tuple[str, ...] | None = None
    """Factions that may know of it; None: everybody."""
    is_must: bool = False
    """The player's own, where it changed: the recap, a verdict on an own deed. Told whatever its relevance, in the budget."""
    facts: Mapping[str, object] = {}
    """What prose may say of it: ids, whole numbers, booleans."""
    decision_id: str | None = None
    correlation_id: str | None = None
    seen_within: int | None = None
    """Steps from its places within which anybody sees it, whatever `seen_by` says; None: nobody does."""
    is_event: bool = False
    """Whether it happens in a moment: when it happens again, that is news again. Others go on, and cool down once told."""


class Terms(NamedTuple):
    """How relevance came about, each 0 to 1,000; `relevance` is their weighted sum."""

    locality: int
    involvement: int
    magnitude: int
    recency: int
    thread_match: int
    relevance: int


class Chosen(NamedTuple):
    """An item that the planner may use."""

    candidate: Candidate
    terms: Terms
    tokens: int
    """What it costs of the budget."""
    why: str
    """In a sentence, with numbers: for --why, never for prose."""


class Omitted(NamedTuple):
    """An item that was cut."""

    item_id: str
    kind: ItemKind
    why: OmittedFor
    told: str
    """The same in a sentence."""
    terms: Terms | None


class Viewpoint(NamedTuple):
    """What selection knows of the player."""

    user_id: str
    place: str
    faction_id: str | None
    chapter: int
    """The chapter about to be planned."""
    tick: int
    """The realm's tick now."""
    distances: Mapping[str, int]
    """Steps on the map from the player's place, by territory id; missing: out of reach."""
    involvement: Mapping[str, int]
    """Own part in a territory, faction or trigger, 0 to 1,000, by its id."""
    thread_entities: frozenset[str]
    thread_tags: frozenset[str]
    last_shown: Mapping[str, int]
    """Chapter in which an item was last told, by item id."""
    last_global: int | None
    """Last chapter with a global item."""
    last_tick: int | None = None
    """The realm's tick that the last chapter had seen; None before the first."""
    acted: frozenset[str] = frozenset()
    """Territories and factions that the player acted on since the last chapter: what is told of them does not cool down."""


class WorldContext(NamedTuple):
    """What the planner hears of the world: 000 §9's four fields are made of it (`story.context.payload`)."""

    items: tuple[Chosen, ...]
    omitted: Sequence[Omitted]
    """Nearest miss first; reasons are worked out when they are looked at (`story.context.omissions`)."""
    budget: int
    """Tokens."""
    used: int
    snapshot_id: str = ""
    tick: int = 0
