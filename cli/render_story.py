"""Chapters drawn for reading: title, paragraphs as a page has them, the recap at the end, and what became of the deeds."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.render_parts import section
from cli.text import clean, counted
from story.ledger.port import UnsentState

MARGIN: Final = 6
COLUMN: Final = 78
"""Columns of prose: longer lines are hard to read."""
_STATES: Final = {
    "accepted": ("✓", "green"),
    "pending": ("…", "yellow"),
    "in_review": ("?", "yellow"),
    "quarantined": ("‖", "magenta"),
    "rejected": ("✗", "red"),
    "given_up": ("†", "red"),
}
_STATE_WORDS: Final = {"pending": "waits to be sent", "in_review": "is looked at by the council"}
_ABOUT: Final = {"death": "†", "deeds": "◆", "verdict": "§", "world": "●", "sent": "→", "quiet": "·"}


def render_chapter(document: Mapping[str, Any]) -> list[RenderableType]:
    """Return a chapter as a page; `document` is `ChapterPlanned`."""
    return [
        *page(document["chapter"], document["title"], _paragraphs(document["prose"])),
        Text(_foot(document), style="dim"),
    ]


def page(number: int, title: str, paragraphs: Sequence[str]) -> list[RenderableType]:
    """Return a chapter's head and prose."""
    head = Text.assemble((f"{number}", "dim"), "  ", (clean(title), "bold"))
    return [Text(""), _set(head), Text(""), *[_paragraph(text) for text in paragraphs]]


def render_recap(recap: Mapping[str, Any]) -> list[RenderableType]:
    """Return a recap, one sentence a line."""
    lines = [_set(Text(f"{_ABOUT.get(each['about'], '·')} {clean(each['text'])}", "italic")) for each in recap["lines"]]
    return [*lines, Text("")]


def render_close(document: Mapping[str, Any]) -> list[RenderableType]:
    """Return a chapter's end; `document` is `ChapterClosed`."""
    again = ", as it was before" if document["is_repeat"] else ""
    told = f"chapter {document['chapter']} of {clean(document['story_id'])} is closed{again}"
    following = f"correlation id {clean(document['correlation_id'] or '-')}"
    return [
        Text(""),
        *render_recap(document["recap"]),
        section("Deeds", deeds_table(document["deeds"])),
        *[
            Text(f"no rule reads the tag {clean(each['tag'])!r}; {each['meant']}", style="yellow")
            for each in document["unread_tags"]
        ],
        Text(f"{told} · {following}", style="dim"),
        Text("next: council world tick moves the world, council story plan goes on", style="dim"),
    ]


def deeds_table(deeds: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return what became of deeds."""
    if not deeds:
        return Text("nothing that the world counts", style="dim")
    table = Table.grid(padding=(0, 2, 0, 0))
    is_placed = any(each["beat"] for each in deeds)
    for each in deeds:
        sign, style = _STATES.get(each["state"], ("?", ""))
        about = " → ".join(clean(each[key]) for key in ("faction_id", "target_id") if each[key])
        why = clean(each["told"] or _STATE_WORDS.get(each["state"], ""))
        beat = [f"beat {each['beat']}" if each["beat"] else ""] if is_placed else []
        state = Text(f"{sign} {each['state'].replace('_', ' ')}", style=style)
        table.add_row(state, clean(each["action_type"]), *beat, about, Text(why, "dim"))
    return table


def render_list(rows: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Return stories, one a line."""
    if not rows:
        return [Text("no story is told here yet; council story plan STORY --hero NAME begins one", style="dim")]
    table = Table(box=None, show_header=True, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("story", "hero", "player", "realm", "chapters", "last"):
        table.add_column(name, overflow="ellipsis", no_wrap=True)
    for row in rows:
        closed = f"{row['chapters_closed']}" + (" + 1 open" if row["is_chapter_open"] else "")
        table.add_row(
            Text(clean(row["story_id"]), "bold"),
            f"{clean(row['hero'])} ({row['language']})",
            clean(row["user_id"]),
            clean(row["realm_id"]),
            closed,
            clean(row["last_title"] or "-"),
        )
    return [table]


def render_unsent(
    rows: Sequence[Mapping[str, Any]], counts: Mapping[UnsentState, int], now: int
) -> list[RenderableType]:
    """Return chapters whose deeds wait or were given up, one a line.

    Args:
        counts: deeds by state, of all chapters.
        now: milliseconds since 1970.
    """
    if not rows:
        return [Text("the world has taken every deed", style="dim")]
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in rows:
        sign, style = _STATES[row["state"]]
        table.add_row(
            Text(f"{sign} {row['state'].replace('_', ' ')}", style=style),
            Text(clean(row["story_id"]), "bold"),
            f"chapter {row['chapter']}",
            clean(row["realm_id"]),
            counted(row["deeds"], "deed"),
            Text(f"{_when(row, now)}{clean(row['told'])}", "dim"),
        )
    return [table, Text(f"{counts['given_up']} given up, {counts['pending']} waiting", style="dim")]


def _when(row: Mapping[str, Any], now: int) -> str:
    if row["due_at"] is None:
        return ""
    wait_s = max(0, -(-(row["due_at"] - now) // 1_000))
    again = f"again in {wait_s} s" if wait_s else "at the worker's next look"
    return f"{again}, tried {counted(row['tries'], 'time')}: " if row["tries"] else again


def _paragraphs(prose: Sequence[Mapping[str, Any]]) -> list[str]:
    return [each["text"] for each in prose]


def _paragraph(text: str) -> RenderableType:
    return Group(_set(Text(clean(text))), Text(""))


def _set(text: Text) -> RenderableType:
    """Return text in the page's column."""
    table = Table.grid()
    table.add_column(width=COLUMN)
    table.add_row(text)
    return Padding(table, (0, 0, 0, MARGIN))


def _foot(document: Mapping[str, Any]) -> str:
    author = "told by the grammar" if document["author"] == "template" else "told with a model"
    cited = len(document["verdicts_cited"])
    parts = [clean(document["story_id"]), f"chapter {document['chapter']}", document["threat"]["pressure"], author]
    parts += [f"rests on {counted(cited, 'verdict')}"] if cited else []
    state = "closed" if document["is_closed"] else f"open: council story close {clean(document['story_id'])}"
    return " · ".join([*parts, state])
