"""What was left out, each with its reason and its numbers: worked out when somebody looks, for most readers never do."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Final, NamedTuple, overload

from story.context.gates import BIG, COOLDOWN, GLOBAL_EVERY
from story.context.items import Candidate, Omitted, OmittedFor, Terms, Viewpoint
from story.context.map import nearest
from story.context.scoring import ENOUGH, terms_of


class Refused(NamedTuple):
    """Why a candidate was not chosen."""

    why: OmittedFor
    tokens: int
    """What it would have cost."""
    left: int
    """What of the budget was left for it."""


class Omissions(Sequence[Omitted]):
    """The candidates that were not chosen, nearest miss first, then by id.

    Args:
        candidates: all of them.
        chosen: ids of those that were chosen.
        view: the viewpoint of the selection.
        refusal: says why one was not chosen, given its relevance.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        chosen: frozenset[str],
        view: Viewpoint,
        refusal: Callable[[Candidate, int], Refused],
    ) -> None:
        self._candidates = candidates
        self._chosen = chosen
        self._view = view
        self._refusal = refusal

    @cached_property
    def all(self) -> tuple[Omitted, ...]:
        """All of them, worked out once."""
        found = [self._omitted(each) for each in self._candidates if each.item_id not in self._chosen]
        return tuple(sorted(found, key=_nearest_miss))

    def __len__(self) -> int:
        return len(self._candidates) - len(self._chosen)

    def __iter__(self) -> Iterator[Omitted]:
        return iter(self.all)

    @overload
    def __getitem__(self, at: int) -> Omitted: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Omitted, ...]: ...
    def __getitem__(self, at: int | slice) -> Omitted | tuple[Omitted, ...]:
        return self.all[at]

    def __eq__(self, other: object) -> bool:
        return self.all == tuple(other) if isinstance(other, Omissions | tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.all)

    def __repr__(self) -> str:
        return repr(self.all)

    def _omitted(self, candidate: Candidate) -> Omitted:
        terms = terms_of(candidate, self._view)
        refused = self._refusal(candidate, terms.relevance)
        told = _TOLD[refused.why](candidate, self._view, terms, refused)
        return Omitted(candidate.item_id, candidate.kind, refused.why, told, terms)


def _nearest_miss(omitted: Omitted) -> tuple[int, str]:
    assert omitted.terms is not None
    return -omitted.terms.relevance, omitted.item_id


def told_of_terms(terms: Terms) -> str:
    """Return the terms in words."""
    return (
        f"relevance {terms.relevance}: locality {terms.locality}, involvement {terms.involvement}, "
        f"magnitude {terms.magnitude}, recency {terms.recency}, threads {terms.thread_match}"
    )


def _not_visible(candidate: Candidate, view: Viewpoint, terms: Terms, refused: Refused) -> str:
    who = [" and ".join(candidate.seen_by)] if candidate.seen_by else []
    near = [f"whoever is within {_steps(candidate.seen_within)} of it"] if candidate.seen_within is not None else []
    told = f"only {' or '.join([*who, *near])} may know of it" if who or near else "nobody may know of it yet"
    return f"{told}; the hero stands with {view.faction_id or 'nobody'}"


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _not_yet_known(candidate: Candidate, view: Viewpoint, terms: Terms, refused: Refused) -> str:
    distance = nearest(candidate.places, view.distances)
    if distance is None:
        return f"no road leads from {view.place or 'where the hero is'} to {', '.join(candidate.places)}"
    return f"news of tick {candidate.tick} needs {distance} ticks to arrive; it is tick {view.tick}"


def _without_reason(candidate: Candidate, view: Viewpoint, terms: Terms, refused: Refused) -> str:
    return f"it is of the whole realm, its magnitude is {candidate.magnitude} of {BIG}, and no open thread names it"


def _too_soon(candidate: Candidate, view: Viewpoint, terms: Terms, refused: Refused) -> str:
    return f"chapter {view.last_global} told of the whole realm; the next may in chapter {_next_global(view)}"


def _next_global(view: Viewpoint) -> int:
    return (view.last_global or 0) + GLOBAL_EVERY


def _irrelevant(candidate: Candidate, view: Viewpoint, terms: Terms, refused: Refused) -> str:
    return f"{told_of_terms(terms)}; {ENOUGH} are needed"


def _cooling(candidate: Candidate, view: Viewpoint, terms: Terms, refused: Refused) -> str:
    shown = view.last_shown[candidate.item_id]
    return f"chapter {shown} told it; it rests until chapter {shown + COOLDOWN + 1}"


def _same_subject(candidate: Candidate, view: Viewpoint, terms: Terms, refused: Refused) -> str:
    return f"another item tells of {candidate.subject}"


def _too_many(candidate: Candidate, view: Viewpoint, terms: Terms, refused: Refused) -> str:
    return f"{told_of_terms(terms)}; the chapter has its items"


def _too_many_global(candidate: Candidate, view: Viewpoint, terms: Terms, refused: Refused) -> str:
    return "another item tells of the whole realm"


def _over_budget(candidate: Candidate, view: Viewpoint, terms: Terms, refused: Refused) -> str:
    return f"it takes {refused.tokens} tokens; {refused.left} are left"


_TOLD: Final[dict[OmittedFor, Callable[[Candidate, Viewpoint, Terms, Refused], str]]] = {
    "not_visible": _not_visible,
    "not_yet_known": _not_yet_known,
    "global_without_reason": _without_reason,
    "global_too_soon": _too_soon,
    "irrelevant": _irrelevant,
    "cooling_down": _cooling,
    "same_subject": _same_subject,
    "too_many": _too_many,
    "too_many_global": _too_many_global,
    "over_budget": _over_budget,
}
