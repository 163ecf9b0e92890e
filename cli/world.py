"""`council world`: the table of its commands, each loaded only when it runs."""

from typing import Final

from cli.commands import Command
from cli.lazy_group import lazy_app

COMMANDS: Final[dict[str, Command]] = {
    "seed": Command("cli.world_seed", "Make a realm from the world's file; one that exists is left as it is."),
    "status": Command(
        "cli.world_status", "Show a realm: factions, territories, conflicts, meters, triggers, next tick."
    ),
    "tick": Command("cli.world_tick", "Run ticks now, have the council settle what they raise, and show what changed."),
    "events": Command("cli.world_events", "Show what happened in a realm, in order; --follow keeps looking."),
    "queue": Command("cli.world_queue", "Show what waits, acts and questions to the council, and rule on a held act."),
    "sovereign": Command(
        "cli.world_sovereign",
        "List, propose and object to what factions do as a whole: costly, seldom, decided by the council.",
    ),
    "dead-letters": Command(
        "cli.world_dead_letters", "List, show and send again messages that a consumer could not take."
    ),
    "replay": Command("cli.world_replay", "Play a realm again from its first snapshot; any difference exits with 1."),
    "demo": Command("cli.world_demo", "Play a day in a realm with simulated people, and tell it."),
}

app = lazy_app(COMMANDS)


@app.callback()
def world() -> None:
    """Run and read shared worlds: seed, status, tick, events, replay, queue, sovereign, demo, dead-letters."""
