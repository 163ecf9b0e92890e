"""`council story`: the table of its commands, each loaded only when it runs."""

from typing import Final

from cli.commands import Command
from cli.lazy_group import lazy_app

COMMANDS: Final[dict[str, Command]] = {
    "plan": Command(
        "cli.story_plan", "Tell a story's next chapter from the world as it stands; --hero begins a story."
    ),
    "close": Command("cli.story_close", "Close a chapter with what the player did, and send the deeds to the world."),
    "chapter": Command("cli.story_chapter", "Read a chapter that was told; the last one unless numbered."),
    "context": Command("cli.story_context", "Show what a story's next chapter would hear of the world, and what not."),
    "threat": Command("cli.story_threat", "Show what threatens a story's hero, in the words that prose may use."),
    "list": Command("cli.story_list", "List the stories, with how far each is told."),
    "deeds": Command("cli.story_deeds", "List deeds that were given up, and those that wait for the world."),
    "quality": Command(
        "cli.story_quality", "Measure how well stories choose from the world; a missed target exits with 1."
    ),
    "demo": Command("cli.story_demo", "Play three chapters of one player through a world that changes under them."),
}

app = lazy_app(COMMANDS)


@app.callback()
def story() -> None:
    """Tell and read players' stories: plan, close, chapter, context, threat, list, deeds, quality, demo."""
