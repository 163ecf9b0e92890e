"""Which recorded decisions a labeller is shown, read from a ledger with few records in memory."""

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from council.ledger.port import Ledger
from evals.decisions import Decision
from evals.exporting import chunks, decision_of
from evals.labelling import Lesson, lesson_of
from evals.remarks import NOTHING, by_decision
from policies.verdicts import Verdict


class Wanted(NamedTuple):
    """Which decisions are wanted; None wants all."""

    realm_id: str | None = None
    decision_type: str | None = None
    verdict: Verdict | None = None
    """The council's own verdict."""
    is_disputed: bool = False
    """Those that labellers differ about, instead of those without a label."""

    def fits(self, decision: Decision) -> bool:
        """Tell whether a decision is of the realm, type and verdict wanted."""
        return (
            self.realm_id in (None, decision.realm_id)
            and self.decision_type in (None, decision.decision_type)
            and self.verdict in (None, decision.verdict)
        )


async def queue_of(ledger: Ledger, wanted: Wanted, most: int, advance: Callable[[], None]) -> list[str]:
    """Return the ids of the decisions to label, the most teaching first, at most `most`."""
    lessons: list[Lesson] = []
    async for chunk in chunks(ledger.scan(wanted.realm_id)):
        said = by_decision(await ledger.remarks_of([stored.decision_id for stored in chunk]))
        for stored in chunk:
            decision = decision_of(stored, said.get(stored.decision_id, NOTHING))
            if wanted.fits(decision) and _is_open(decision, wanted):
                lessons.append(lesson_of(decision.record, decision.position))
            advance()
        if len(lessons) > 2 * most:
            lessons = sorted(lessons)[:most]
    return [lesson.decision_id for lesson in sorted(lessons)[:most]]


async def labelled_decisions(ledger: Ledger, wanted: Wanted) -> AsyncIterator[Decision]:
    """Yield the wanted decisions that somebody labelled, in order of their first label."""
    remarks = [remark async for remark in ledger.scan_remarks(wanted.realm_id)]
    for decision_id, said in by_decision(remarks).items():
        stored = await ledger.get(decision_id) if said.labels else None
        if stored is None:
            continue
        decision = decision_of(stored, said)
        if wanted.fits(decision) and (decision.settled.is_disputed or not wanted.is_disputed):
            yield decision


def _is_open(decision: Decision, wanted: Wanted) -> bool:
    return decision.settled.is_disputed if wanted.is_disputed else not decision.labels
