"""`council world queue`: what waits for a person or for the council in a realm."""

from typing import Annotated, Any

import typer

from cli.console import draw
from cli.errors import CliError
from cli.options import AsJson, Database
from cli.output import write_json
from cli.render_world_queue import render_queue
from cli.running import new_app
from cli.world_opening import RealmName, realm_named, run_with_store
from gateway.settings import Settings
from policies.faults import did_you_mean
from world.influence.judging import State
from world.persistence.port import MAX_PAGE, Question, QuestionState, WorldStore
from world.views.deeds import held_view, question_view

app = new_app()
_HELD: tuple[State, ...] = ("quarantined", "in_review")
_UNSETTLED: tuple[QuestionState, ...] = ("answered", "asked", "open")


@app.command()
def queue(
    *,
    realm: RealmName = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="Only acts that are quarantined or in_review.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=MAX_PAGE, help="How many of each at most.")] = 20,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show what waits: acts in quarantine or in review, and questions to the council.

    Acts in quarantine wait for a person, oldest first; those in review wait for the council, as questions do. With --json the
    acts and questions are those of GET /internal/world/queue.
    """
    states = _states(state)

    async def show(store: WorldStore, _: Settings) -> None:
        realm_id = await realm_named(store, realm)
        document = await _document(store, realm_id, states, limit)
        if as_json:
            write_json(document)
        else:
            draw(*render_queue(document))

    run_with_store(database, show)


async def _document(store: WorldStore, realm_id: str, states: tuple[State, ...], limit: int) -> dict[str, Any]:
    acts = [row for state in states for row in await store.rows(realm_id, state=state, limit=limit + 1)]
    questions: list[Question] = []
    for question_state in _UNSETTLED:
        questions += await store.questions(realm_id, question_state, limit + 1)
    acts.sort(key=lambda row: row.sequence)
    questions.sort(key=lambda question: question.tick_number)
    return {
        "realm_id": realm_id,
        "acts": [held_view(row) for row in acts[:limit]],
        "questions": [question_view(question) for question in questions[:limit]],
        "more_acts": len(acts) > limit,
        "more_questions": len(questions) > limit,
    }


def _states(state: str | None) -> tuple[State, ...]:
    if state is None:
        return _HELD
    for known in _HELD:
        if known == state:
            return (known,)
    raise CliError(f"unknown state {state!r}", did_you_mean(state, _HELD))
