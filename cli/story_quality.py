"""`council story quality`: how well stories choose from the world."""

from typing import Annotated, Any

import typer

from cli.console import draw
from cli.exits import Exit
from cli.options import AsJson
from cli.output import note, write_json
from cli.render_story_why import render_quality
from cli.running import new_app
from story.context.quality import (
    CHAPTERS,
    NOISE_BELOW,
    PLAYERS,
    QUIET_FROM,
    RECALL_ABOVE,
    SEED,
    WORLDS,
    Quality,
    measure,
)

app = new_app()


@app.command()
def quality(
    *,
    worlds: Annotated[int, typer.Option("--worlds", min=1, max=200, metavar="N", help="Worlds to live in.")] = WORLDS,
    players: Annotated[int, typer.Option("--players", min=1, max=200, metavar="N", help="Players of each.")] = PLAYERS,
    chapters: Annotated[
        int, typer.Option("--chapters", min=1, max=100, metavar="N", help="Chapters of each player.")
    ] = CHAPTERS,
    seed: Annotated[int, typer.Option("--seed", min=0, max=1_000_000, help="Another seed is another trial.")] = SEED,
    as_json: AsJson = False,
) -> None:
    """Measure how well stories choose from the world; a missed target exits with 1.

    Noise: items told that are linked to no thread, place or deed. Recall: planted facts that had to be told, and were. Quiet:
    chapters without an item of the whole realm. Each with its 95 % interval (Wilson). The same seed reports the same.
    """
    if not as_json:
        note(f"council: {worlds * players} players live through {worlds} worlds ...")
    found = measure(seed=seed, worlds=worlds, players=players, chapters=chapters)
    if as_json:
        write_json(quality_document(found))
    else:
        draw(*render_quality(found))
    raise typer.Exit(Exit.GOOD if found.passes else Exit.MISMATCH)


def quality_document(found: Quality) -> dict[str, Any]:
    """Return what was measured as one JSON document."""
    targets = {"noise": ("below", NOISE_BELOW), "recall": ("above", RECALL_ABOVE), "quiet": ("from", QUIET_FROM)}
    shares = {
        name: {**getattr(found, name)._asdict(), "estimate": getattr(found, name).estimate, word: bound}
        for name, (word, bound) in targets.items()
    }
    counts = {name: dict(getattr(found, name)) for name in ("kinds", "links", "omitted", "missed")}
    return {
        "seed": found.seed,
        "stories": found.stories,
        "chapters": found.chapters,
        "passes": found.passes,
        **shares,
        **counts,
    }
