"""`council world queue`: what waits for a person or for the council in a realm, and a game master's ruling on a held act."""

from typing import Annotated, Any, get_args

import typer

from cli.console import draw
from cli.errors import CliError
from cli.exits import Exit
from cli.options import AsJson, Database
from cli.output import note, write_json, write_line
from cli.render_world_queue import render_queue
from cli.running import new_app
from cli.text import clean
from cli.wire_values import id_of, line_of
from cli.world_opening import RealmName, realm_named, run_with_store
from gateway.settings import Settings
from policies.faults import did_you_mean
from world.persistence.acts import LedgerRow
from world.persistence.messages import Question, QuestionState
from world.persistence.port import MAX_PAGE, WorldStore
from world.service.clock import system_clock
from world.service.rulings import HeldState, Ruling, Rulings, Unruled, Word
from world.views.deeds import held_view, question_view

State = Annotated[
    str | None, typer.Option("--state", metavar="STATE", help="Only acts that are quarantined, in_review or expired.")
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=MAX_PAGE, help="How many of each at most.")]
_WORDS: tuple[Word, ...] = get_args(Word)
_STATES: tuple[HeldState, ...] = get_args(HeldState)
_WAITING: tuple[HeldState, ...] = ("quarantined", "in_review")
_UNSETTLED: tuple[QuestionState, ...] = ("answered", "asked", "open")
_HERE = "terminal"
"""Stands behind the name of who ruled here, where over HTTP the caller's token stands."""
_LONGEST_NUMBER = 15

app = new_app()


@app.callback(invoke_without_command=True)
def queue(
    context: typer.Context,
    *,
    realm: RealmName = None,
    state: State = None,
    limit: Limit = 20,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show what waits, acts and questions to the council, and rule on a held act.

    Without a command: the list.
    """
    if context.invoked_subcommand is None:
        _list(realm, state, limit, database, as_json=as_json)


@app.command("list")
def list_held(
    *,
    realm: RealmName = None,
    state: State = None,
    limit: Limit = 20,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List what waits: acts in quarantine or in review, and questions to the council.

    Acts in quarantine wait for a person, oldest first; those in review wait for the council, as questions do. Acts that got no
    verdict in time are rejected and open to appeal: --state expired. With --json the acts and questions are those of
    GET /internal/world/queue.
    """
    _list(realm, state, limit, database, as_json=as_json)


@app.command("rule")
def rule(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The act's event id, or its number in the list.")],
    ruling: Annotated[str, typer.Argument(metavar="RULING", help="release: it counts after all; reject: it does not.")],
    *,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so; it stands in the ledger.")],
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it stands in the ledger.")],
    realm: RealmName = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Release or reject an act in quarantine, or release one that expired, by name and with a reason.

    A released act counts in the next tick. The same ruling again changes nothing; exit code 1 where somebody else was first.
    """
    event_id, word = id_of("EVENT", event), _word(ruling)
    by, because = f"{id_of('--by', by)} ({_HERE})", line_of("--because", because)

    async def work(store: WorldStore, _: Settings) -> LedgerRow | Unruled:
        realm_id = await realm_named(store, realm)
        named = await _event_id(store, realm_id, event_id)
        return await Rulings(store, system_clock).rule(Ruling(realm_id, named, word, by, because))

    found = run_with_store(database, work)
    if isinstance(found, LedgerRow):
        _tell(found, as_json=as_json)
        return
    _tell_unruled(event_id, found, as_json=as_json)
    raise typer.Exit(Exit.MISMATCH)


def _list(realm: str | None, state: str | None, limit: int, database: str | None, *, as_json: bool) -> None:
    states = _states(state)

    async def show(store: WorldStore, _: Settings) -> None:
        realm_id = await realm_named(store, realm)
        document = await _document(store, realm_id, states, limit)
        if as_json:
            write_json(document)
            return
        draw(*render_queue(document))
        if any(act["state"] != "in_review" for act in document["acts"]):
            note("'council world queue rule NUMBER release|reject' rules on one, by name and with a reason")

    run_with_store(database, show)


async def _document(store: WorldStore, realm_id: str, states: tuple[HeldState, ...], limit: int) -> dict[str, Any]:
    rulings = Rulings(store, system_clock)
    pages = [await rulings.held(realm_id, state, limit=limit) for state in states]
    acts = sorted([row for page in pages for row in page.acts], key=lambda row: row.sequence)
    questions: list[Question] = []
    for question_state in _UNSETTLED:
        questions += await store.questions(realm_id, question_state, limit + 1)
    questions.sort(key=lambda question: question.tick_number)
    return {
        "realm_id": realm_id,
        "acts": [held_view(row) for row in acts[:limit]],
        "questions": [question_view(question) for question in questions[:limit]],
        "more_acts": len(acts) > limit or any(page.has_more for page in pages),
        "more_questions": len(questions) > limit,
    }


async def _event_id(store: WorldStore, realm_id: str, named: str) -> str:
    """Return the event id of an act that is named by it, or by its number.

    Raises:
        CliError: where it is the event id of one act and the number of another.
    """
    if not (named.isascii() and named.isdecimal() and len(named) <= _LONGEST_NUMBER):
        return named
    numbered = await store.rows(realm_id, after=int(named) - 1, limit=1)
    if not numbered or numbered[0].sequence != int(named) or numbered[0].event_id == named:
        return named
    if await store.row(realm_id, named) is not None:
        what = f"{named!r} is the event id of one act and the number of another"
        raise CliError(what, f"name the other by its event id: {numbered[0].event_id}; rule on this one over HTTP")
    return numbered[0].event_id


def _tell(row: LedgerRow, *, as_json: bool) -> None:
    if as_json:
        write_json(held_view(row))
        return
    write_line(f"✓ {clean(row.event_id)}, {clean(row.user_id)}'s {clean(row.action_type)}: {clean(row.because)}")
    note("it counts in the next tick" if row.state == "accepted" else "it does not count")


def _tell_unruled(event_id: str, found: Unruled, *, as_json: bool) -> None:
    """Show the act that somebody else has ruled on.

    Raises:
        CliError: where there is no such act, or where the council decides about it.
    """
    if found.row is None:
        raise CliError(f"no act {event_id!r} stands in the realm's ledger", "'council world queue' lists what waits")
    if found.kind == "in_review":
        fix = "wait for its verdict; what it holds can be ruled on then"
        raise CliError(f"the council decides about the act {event_id!r}", fix)
    if as_json:
        write_json(held_view(found.row))
    why = f": {clean(found.row.because)}" if found.row.because else ""
    note(f"council: nothing was done, the act {clean(event_id)!r} is {found.row.state}{why}")


def _word(text: str) -> Word:
    for known in _WORDS:
        if known == text:
            return known
    raise CliError(f"unknown ruling {text!r}", f"say one of: {', '.join(_WORDS)}")


def _states(state: str | None) -> tuple[HeldState, ...]:
    if state is None:
        return _WAITING
    for known in _STATES:
        if known == state:
            return (known,)
    raise CliError(f"unknown state {state!r}", did_you_mean(state, _STATES))
