"""Candidates and viewpoints for tests of selection: a few places and factions, so that they meet often."""

from typing import Any

from hypothesis import strategies as st

from story.context.items import Candidate, Viewpoint

PLACES = ("far-wilds", "grand-gate-city", "mirror-gate", "mutation-forest")
FACTIONS = ("empire", "free_cities", "veil")
NOW = 100
CHAPTER = 7


def item(item_id: str = "control/far-wilds", **keys: Any) -> Candidate:
    """Return a candidate that every gate lets through at `view()`: at home, big, of this tick."""
    places = keys.pop("places", ("far-wilds",))
    document: dict[str, Any] = {
        "item_id": item_id,
        "kind": "control",
        "subject": item_id,
        "scope": "local",
        "magnitude": 800,
        "tick": NOW,
        "places": places,
        "entities": (item_id, *places, *keys.get("factions", ())),
        **keys,
    }
    return Candidate(**document)


def view(**keys: Any) -> Viewpoint:
    """Return the viewpoint of a hero in the Far Wilds who did nothing yet and has no thread."""
    document: dict[str, Any] = {
        "user_id": "u-1",
        "place": "far-wilds",
        "faction_id": "free_cities",
        "chapter": CHAPTER,
        "tick": NOW,
        "distances": {"far-wilds": 0, "mirror-gate": 1, "grand-gate-city": 2},
        "involvement": {},
        "thread_entities": frozenset(),
        "thread_tags": frozenset(),
        "last_shown": {},
        "last_global": None,
        **keys,
    }
    return Viewpoint(**document)


_PERMILLE = st.sampled_from([0, 1, 300, 500, 699, 700, 900, 1_000])
_SOME_PLACES = st.lists(st.sampled_from(PLACES), max_size=2, unique=True).map(tuple)
_SOME_FACTIONS = st.lists(st.sampled_from(FACTIONS), max_size=2, unique=True).map(tuple)


@st.composite
def one_candidate(draw: st.DrawFn) -> Candidate:
    """Draw a candidate; its id is one of sixty."""
    places, factions = draw(_SOME_PLACES), draw(_SOME_FACTIONS)
    subject = draw(st.sampled_from([*PLACES, *FACTIONS, "relic_storm", "u-1"]))
    return Candidate(
        item_id=f"item/{draw(st.integers(0, 59))}",
        kind=draw(st.sampled_from(["ranking", "control", "trigger", "campaign", "verdict"])),
        subject=subject,
        scope=draw(st.sampled_from(["local", "regional", "global"])),
        magnitude=draw(_PERMILLE),
        tick=draw(st.integers(NOW - 20, NOW)),
        places=places,
        factions=factions,
        entities=tuple(dict.fromkeys([subject, *places, *factions])),
        seen_by=draw(st.one_of(st.none(), _SOME_FACTIONS)),
        is_must=draw(st.integers(0, 9)) == 0,
        facts={"told": "x" * draw(st.sampled_from([0, 40, 400, 900]))},
        seen_within=draw(st.one_of(st.none(), st.integers(0, 2))),
        is_event=draw(st.booleans()),
    )


def candidate_lists() -> st.SearchStrategy[list[Candidate]]:
    """Draw candidates, no id twice."""
    return st.lists(one_candidate(), max_size=25, unique_by=lambda each: each.item_id)


@st.composite
def viewpoints(draw: st.DrawFn) -> Viewpoint:
    """Draw a viewpoint of some chapter."""
    ids = [*PLACES, *FACTIONS, "relic_storm"]
    chapter = draw(st.integers(1, 9))
    before = st.integers(0, chapter - 1)
    return Viewpoint(
        user_id="u-1",
        place="far-wilds",
        faction_id=draw(st.sampled_from([*FACTIONS, None])),
        chapter=chapter,
        tick=NOW,
        distances=draw(st.dictionaries(st.sampled_from(PLACES), st.integers(0, 14))),
        involvement=draw(st.dictionaries(st.sampled_from(ids), _PERMILLE)),
        thread_entities=draw(st.frozensets(st.sampled_from(ids), max_size=3)),
        thread_tags=draw(st.frozensets(st.sampled_from(["gate", "cities", "empire", "archive"]), max_size=2)),
        last_shown=draw(st.dictionaries(st.integers(0, 59).map(lambda at: f"item/{at}"), before, max_size=20)),
        last_global=draw(st.one_of(st.none(), before)),
        last_tick=draw(st.one_of(st.none(), st.integers(NOW - 10, NOW))),
        acted=draw(st.frozensets(st.sampled_from([*PLACES, *FACTIONS]), max_size=2)),
    )
