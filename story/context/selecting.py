"""Selection: which few things of the world a chapter may tell (domain.md C10; register rows S0-70 to S0-76).

What passes the gates (`story.context.gates`) is picked by relevance, then the one told longest ago, then by id: one per subject,
four in all, one of the whole realm, 400 tokens. The player's own news comes first, needs no relevance, and may exceed the four.
Nothing at all is a good answer. The same candidates in any order give the same context.
"""

from collections.abc import Sequence
from typing import Final

from policies.canonical import canonical_json
from policies.faults import Fault, InvalidInputError
from story.context.gates import gate
from story.context.items import Candidate, Chosen, OmittedFor, Viewpoint, WorldContext
from story.context.omissions import Omissions, Refused, told_of_terms
from story.context.scoring import terms_of
from story.context.weighing import Weighing

BUDGET: Final = 400
"""Tokens that the world may take of a planner's prompt, at most."""
MOST: Final = 4
"""Items of a context; the player's own news may exceed it."""
BYTES_PER_TOKEN: Final = 4


def budget_of(prompt_tokens: int) -> int:
    """Return the tokens that the world may take of a prompt: a quarter, 400 at most.

    >>> budget_of(1_000), budget_of(6_000)
    (250, 400)
    """
    return min(BUDGET, max(0, prompt_tokens) // 4)


def select(
    candidates: Sequence[Candidate], view: Viewpoint, *, budget: int = BUDGET, snapshot_id: str = ""
) -> WorldContext:
    """Choose what the planner hears of the world.

    Args:
        candidates: what could be told; no id twice.
        view: where the player stands.
        budget: tokens, 0 to 400.
        snapshot_id: of the realm's state that the candidates are of.

    Raises:
        InvalidInputError: for a budget out of range.
    """
    if not 0 <= budget <= BUDGET:
        raise InvalidInputError([Fault("/budget", "the world may not take so many tokens", f"0 to {BUDGET}")])
    pick = _Pick(view, budget)
    weighing = Weighing(candidates, view)
    for relevance, musts in weighing.own_news():
        pick.offer(musts, relevance)
    for relevance, others in weighing.in_order():
        if pick.is_full:
            break
        pick.offer(others, relevance)
    chosen = tuple(pick.chosen)
    ids = frozenset([each.candidate.item_id for each in chosen])
    return WorldContext(
        chosen, Omissions(candidates, ids, view, pick.refusal), budget, pick.used, snapshot_id, view.tick
    )


def tokens_of(candidate: Candidate) -> int:
    """Return what an item costs: the canonical JSON that a planner reads, four bytes a token, rounded up."""
    return -(-len(canonical_json(told_to_planner(candidate))) // BYTES_PER_TOKEN)


def told_to_planner(candidate: Candidate) -> dict[str, object]:
    """Return an item as it stands in a planner's prompt: ids and facts, without what only selection reads."""
    return {"item_id": candidate.item_id, "kind": candidate.kind, "scope": candidate.scope, **candidate.facts}


class _Pick:
    """The items chosen so far, and what stands against one more."""

    def __init__(self, view: Viewpoint, budget: int) -> None:
        self.chosen: list[Chosen] = []
        self.used = 0
        self._view = view
        self._budget = budget
        self._subjects: set[str] = set()
        self._has_global = False
        self._refused: dict[str, Refused] = {}

    @property
    def is_full(self) -> bool:
        return len(self.chosen) >= MOST

    def offer(self, some: Sequence[Candidate], relevance: int) -> None:
        """Take items of equal relevance, the one told longest ago first, or remember why not."""
        last_shown = self._view.last_shown
        for each in sorted(some, key=lambda one: (last_shown.get(one.item_id, 0), one.item_id)):
            if self.is_full and not each.is_must:
                break
            self._offer(each, relevance)

    def _offer(self, candidate: Candidate, relevance: int) -> None:
        tokens = 0
        why = gate(candidate, self._view, relevance) or self._crowded_out(candidate)
        if why is None:
            tokens = tokens_of(candidate)
            why = "over_budget" if self.used + tokens > self._budget else None
        if why is not None:
            self._refused[candidate.item_id] = Refused(why, tokens, self._budget - self.used)
            return
        terms = terms_of(candidate, self._view)
        self.chosen.append(Chosen(candidate, terms, tokens, _why(candidate, told_of_terms(terms), tokens)))
        self.used += tokens
        self._subjects.add(candidate.subject)
        self._has_global |= candidate.scope == "global"

    def refusal(self, candidate: Candidate, relevance: int) -> Refused:
        """Return why a candidate was not chosen; one that was never offered is weighed against all that were."""
        known = self._refused.get(candidate.item_id)
        if known is not None:
            return known
        why = gate(candidate, self._view, relevance) or self._crowded_out(candidate) or "too_many"
        return Refused(why, 0, self._budget - self.used)

    def _crowded_out(self, candidate: Candidate) -> OmittedFor | None:
        if candidate.subject in self._subjects:
            return "same_subject"
        if self.is_full and not candidate.is_must:
            return "too_many"
        return "too_many_global" if self._has_global and candidate.scope == "global" else None


def _why(candidate: Candidate, told: str, tokens: int) -> str:
    own = "the player's own news; " if candidate.is_must else ""
    return f"{own}{told}; {tokens} tokens"
