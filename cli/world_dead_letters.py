"""`council world dead-letters`: messages that a consumer could not take: list them, look at one, send them again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import orjson
import typer

from cli.console import draw
from cli.errors import CliError
from cli.exits import Exit
from cli.options import AsJson, Database
from cli.output import note, write_json, write_line
from cli.render_world_queue import render_letter, render_letters
from cli.running import new_app
from cli.text import clean, counted
from council.ledger.opening import migrate
from gateway.settings import read_settings
from world.bus.opening import VARIABLE, open_bus
from world.bus.port import Bus, BusConfigError, BusUnavailableError, DeadLetter, UnknownLetterError
from world.persistence.opening import open_world_store
from world.views.units import moment_text

T = TypeVar("T")
BusUrl = Annotated[str | None, typer.Option("--bus", metavar="URL", help="Bus to use instead of COUNCIL_BUS_URL.")]
Group = Annotated[str | None, typer.Option("--group", "-g", metavar="GROUP", help="Only those of this consumer group.")]
LetterId = Annotated[str, typer.Argument(metavar="LETTER", help="Dead letter, as the list shows it.")]
_MOST = 10_000
"""Most letters that --all sends at once."""

app = new_app()


@app.callback(invoke_without_command=True)
def dead_letters(
    context: typer.Context, *, database: Database = None, bus: BusUrl = None, as_json: AsJson = False
) -> None:
    """List, show and send again messages that a consumer could not take.

    Without a command: the list.
    """
    if context.invoked_subcommand is None:
        _list(None, 20, bus, database, as_json=as_json)


@app.command("list")
def list_letters(
    *,
    group: Group = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many at most.")] = 20,
    bus: BusUrl = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters, oldest first."""
    _list(group, limit, bus, database, as_json=as_json)


@app.command("show")
def show_letter(letter_id: LetterId, *, bus: BusUrl = None, database: Database = None, as_json: AsJson = False) -> None:
    """Show one dead letter whole: the message, the reason, the payload."""

    async def find(opened: Bus) -> DeadLetter:
        letter = await opened.inspect(letter_id)
        if letter is None:
            raise UnknownLetterError(letter_id)
        return letter

    letter = _with_bus(bus, database, find)
    if as_json:
        write_json(_document(letter, whole=True))
    else:
        draw(*render_letter(letter))


@app.command("resend")
def resend_letters(
    letter_ids: Annotated[list[str] | None, typer.Argument(metavar="LETTER...", help="Dead letters to send.")] = None,
    *,
    all_letters: Annotated[bool, typer.Option("--all", help="Every dead letter, or every one of --group.")] = False,
    group: Group = None,
    bus: BusUrl = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Send dead letters again, to the group that could not take them; do it when the cause is mended.

    Exit code 1 where one of them was not there any more.
    """
    if bool(letter_ids) == all_letters:
        raise CliError("name dead letters, or say --all", "'council world dead-letters' lists them")

    async def send(opened: Bus) -> tuple[list[str], list[str]]:
        wanted = letter_ids or [each.letter_id for each in await opened.dead_letters(group, _MOST)]
        sent: list[str] = []
        missing: list[str] = []
        for letter_id in wanted:
            try:
                await opened.resend(letter_id)
                sent.append(letter_id)
            except UnknownLetterError:
                missing.append(letter_id)
        return sent, missing

    sent, missing = _with_bus(bus, database, send)
    if as_json:
        write_json({"sent": sent, "missing": missing})
    else:
        write_line(f"✓ {counted(len(sent), 'message')} sent again" if sent else "nothing was sent")
        for letter_id in missing:
            note(f"council: there is no dead letter {clean(letter_id)!r}; it may have been sent already")
    if missing:
        raise typer.Exit(Exit.MISMATCH)


def _list(group: str | None, limit: int, bus: str | None, database: str | None, *, as_json: bool) -> None:
    letters = _with_bus(bus, database, lambda opened: opened.dead_letters(group, limit + 1))
    shown = letters[:limit]
    if as_json:
        for letter in shown:
            write_json(_document(letter, whole=False))
    elif shown:
        draw(render_letters(shown))
        note("'council world dead-letters show LETTER' shows one, 'resend LETTER' sends it again")
    else:
        note("no dead letters: every message was taken, or is still tried")
    if len(letters) > limit:
        note("more: a higher --limit shows them")


def _with_bus(bus: str | None, database: str | None, work: Callable[[Bus], Awaitable[T]]) -> T:
    """Run work over the bus of the options, or of the settings.

    Raises:
        CliError: where it cannot be used.
    """
    settings = read_settings(database_url=database, bus_url=bus)
    database_url = settings.database_url.get_secret_value()
    url = settings.bus_url.get_secret_value() if settings.bus_url is not None else None

    # First: a missing database is told as such, and not made; one that only the world has used gets the bus's tables.
    asyncio.run(open_world_store(database_url, create=False).close())
    if database_url.startswith("sqlite"):
        migrate(database_url)

    async def run() -> T:
        opened = open_bus(url, database_url)
        try:
            return await work(opened)
        finally:
            await opened.close()

    try:
        return asyncio.run(run())
    except BusConfigError as error:
        raise CliError(str(error), f"{VARIABLE} or --bus names the bus; unset, it is the database's own") from error
    except BusUnavailableError as error:
        fix = "check that it runs and can be reached; 'council migrate' makes the tables of the database's own"
        raise CliError(str(error), fix) from error
    except UnknownLetterError as error:
        raise CliError(str(error), "'council world dead-letters' lists those there are") from error


def _document(letter: DeadLetter, *, whole: bool) -> dict[str, Any]:
    message = letter.message
    found: dict[str, Any] = {
        "letter_id": letter.letter_id,
        "group": letter.group,
        "message_id": message.message_id,
        "topic": message.topic,
        "realm_id": message.key,
        "subject": message.subject,
        "correlation_id": message.correlation_id,
        "tries": letter.tries,
        "reason": letter.reason,
        "died_at": moment_text(letter.died_at),
    }
    if whole:
        found["payload"] = _payload(message.payload)
    return found


def _payload(payload: bytes) -> Any:
    """Return a payload as JSON, or as text where it is none: that may be why it died."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return payload.decode("utf-8", "backslashreplace")
