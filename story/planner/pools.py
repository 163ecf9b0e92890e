"""Pools: the ids that new stories, threads, people and signs are drawn from (`story/data/pools.yaml`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from policies.cursor import REQUIRED, Place
from story.planner.data_files import finished, open_file

SCHEMA: Final = "council.pools/1"
_KEYS: Final = (
    "schema", "wants", "needs", "wounds", "questions", "promises", "things", "roles", "names", "archetypes", "directions",
    "reasons", "signs", "styles", "units", "rites",
)  # fmt: skip


class Question(NamedTuple):
    """What a thread can ask."""

    tags: tuple[str, ...]
    stakes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pools:
    """Ids, each list in the order of the file; their words stand in the lexicon of every language.

    Attributes:
        questions: by id of the question, which is the id of its thread too: a story asks each once.
        names: names of new people, as prose writes them.
        archetypes: per archetype, who an echo can be (S4-44).
        signs: per kind of threat, how it shows (S4-68).
        units: per unit of a Lieutenant, whose it is.
        rites: per trigger of the realm, the places where a rite against it can be held.
    """

    wants: tuple[str, ...]
    needs: tuple[str, ...]
    wounds: tuple[str, ...]
    questions: Mapping[str, Question]
    promises: tuple[str, ...]
    things: tuple[str, ...]
    roles: tuple[str, ...]
    names: tuple[str, ...]
    archetypes: Mapping[str, tuple[str, ...]]
    directions: tuple[str, ...]
    reasons: tuple[str, ...]
    signs: Mapping[str, tuple[str, ...]]
    styles: tuple[str, ...]
    units: Mapping[str, str]
    rites: Mapping[str, tuple[str, ...]]


def default_pools_path() -> Path:
    """Return the path of the shipped pools."""
    return Path(__file__).parent.parent / "data" / "pools.yaml"


def load_pools(path: Path | str | None = None) -> Pools:
    """Load a file of pools; the shipped one where none is named.

    Raises:
        InvalidPolicyError: with every fault of the file.
    """
    root = open_file(Path(path) if path is not None else default_pools_path())
    fields = root.fields(dict.fromkeys(_KEYS, REQUIRED))
    if not fields:
        return finished(root, _EMPTY)
    fields["schema"].choice([SCHEMA])
    pools = Pools(
        wants=_ids(fields["wants"]),
        needs=_ids(fields["needs"]),
        wounds=_ids(fields["wounds"]),
        promises=_ids(fields["promises"]),
        things=_ids(fields["things"]),
        roles=_ids(fields["roles"]),
        names=_ids(fields["names"]),
        directions=_ids(fields["directions"]),
        reasons=_ids(fields["reasons"]),
        styles=_ids(fields["styles"]),
        archetypes=_ids_by_key(fields["archetypes"]),
        signs=_ids_by_key(fields["signs"]),
        rites=_ids_by_key(fields["rites"]),
        questions={name: _question(place) for name, place in fields["questions"].entries().items()},
        units={
            name: place.choice(_ids(fields["styles"]) or ("",)) for name, place in fields["units"].entries().items()
        },
    )
    if not pools.questions:
        fields["questions"].fault("asks nothing", "write at least one question with tags and stakes")
    return finished(root, pools)


def _question(place: Place) -> Question:
    fields = place.fields({"tags": REQUIRED, "stakes": REQUIRED})
    return Question(_ids(fields["tags"]), _ids(fields["stakes"])) if fields else Question((), ())


def _ids_by_key(place: Place) -> dict[str, tuple[str, ...]]:
    return {key: _ids(item) for key, item in place.entries().items()}


def _ids(place: Place) -> tuple[str, ...]:
    found: list[str] = []
    items = place.items()
    for item in items:
        text = item.text(80)
        if text in found:
            item.fault("stands twice", "leave one out: a story draws each with equal chance")
        found.append(text)
    if isinstance(place.value, list) and not items:
        place.fault("is empty", "write at least one id")
    return tuple(found)


_EMPTY: Final = Pools((), (), (), {}, (), (), (), (), {}, (), (), {}, (), {}, {})
