"""Chapters as documents: whole for story engines, as prose for players, with their reasons for those who may ask why."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from story.ledger.port import Chapter, Deed, StoredTale
from story.service.deeds import deed_id
from story.threat.pressure import shown_tone
from story.threat.tags import unread

_NO_PLACE: Final = 1_000
"""Behind every deed that a chapter can have."""


def planned_view(chapter: Chapter, tale: StoredTale) -> dict[str, Any]:
    """Return a chapter as `ChapterPlanned` shows it."""
    told, plan = chapter.told, orjson.loads(chapter.told.plan)
    return {
        "story_id": told.story_id,
        "realm_id": tale.realm_id,
        "user_id": tale.user_id,
        "chapter": told.number,
        "language": told.language,
        "title": told.title,
        "prose": orjson.loads(told.prose),
        "author": told.author,
        "plan": plan,
        "world_context": orjson.loads(told.context),
        "verdicts_cited": plan["verdicts_cited"],
        "threat": {"pressure": plan["pressure"], "tone": shown_tone(plan["pressure"], plan["language"])},
        "tick_number": told.tick,
        "snapshot_id": told.snapshot_id,
        "correlation_id": told.correlation_id,
        "is_closed": chapter.outcome is not None,
    }


def closed_view(chapter: Chapter, deeds: Sequence[Deed]) -> dict[str, Any]:
    """Return a chapter's end as `ChapterClosed` shows it."""
    told = chapter.told
    return {
        "story_id": told.story_id,
        "chapter": told.number,
        "recap": orjson.loads(chapter.recap or b"null"),
        "deeds": _deeds(chapter, deeds),
        "unread_tags": [
            {"tag": tag, "meant": meant}
            for tag, meant in unread(orjson.loads(chapter.outcome or b'{"tags":[]}')["tags"])
        ],
        "correlation_id": told.correlation_id,
    }


def chapter_view(chapter: Chapter, deeds: Sequence[Deed] | None = None) -> dict[str, Any]:
    """Return a chapter as `ChapterShown` shows it: what its player reads.

    Args:
        deeds: the chapter's, for those who may ask why; None: for players.
    """
    told = chapter.told
    shown = {
        "chapter": told.number,
        "language": told.language,
        "title": told.title,
        "paragraphs": [each["text"] for each in orjson.loads(told.prose)],
        "is_closed": chapter.outcome is not None,
        "recap": orjson.loads(chapter.recap) if chapter.recap is not None else None,
    }
    return shown if deeds is None else {**shown, "why": why_view(chapter, deeds)}


def why_view(chapter: Chapter, deeds: Sequence[Deed]) -> dict[str, Any]:
    """Return what a chapter was made from: plan, context, choices with their numbers, outcome and acts."""
    told = chapter.told
    return {
        "author": told.author,
        "plan": orjson.loads(told.plan),
        "world_context": orjson.loads(told.context),
        **orjson.loads(told.why),
        "outcome": orjson.loads(chapter.outcome) if chapter.outcome is not None else None,
        "deeds": _deeds(chapter, deeds),
        "tick_number": told.tick,
        "snapshot_id": told.snapshot_id,
        "correlation_id": told.correlation_id,
    }


def deed_view(deed: Deed, beat: int | None = None) -> dict[str, Any]:
    """Return a deed as `DeedShown` shows it.

    Args:
        beat: number of the beat that it was done in, where the outcome said so.
    """
    act = orjson.loads(deed.candidate)
    return {
        "event_id": deed.event_id,
        "action_type": act["action_type"],
        "faction_id": act.get("faction_id"),
        "target_id": act.get("target_id"),
        "beat": beat,
        "state": deed.state,
        "told": deed.told,
    }


def _deeds(chapter: Chapter, deeds: Sequence[Deed]) -> list[dict[str, Any]]:
    """Return a chapter's deeds with their beats, as its outcome had them: a deed that failed became no act."""
    outcome = orjson.loads(chapter.outcome) if chapter.outcome is not None else {"deeds": []}
    beats = {
        deed_id(chapter.told.story_id, chapter.told.number, at): each.get("beat")
        for at, each in enumerate([each for each in outcome["deeds"] if each["success"]])
    }
    return [deed_view(each, beats.get(each.event_id)) for each in in_order(deeds)]


def in_order(deeds: Sequence[Deed]) -> list[Deed]:
    """Return a chapter's deeds as its outcome had them: the store has them by id."""
    if not deeds:
        return []
    story_id, chapter = deeds[0].story_id, deeds[0].chapter
    places = {deed_id(story_id, chapter, at): at for at in range(len(deeds))}
    return sorted(deeds, key=lambda deed: places.get(deed.event_id, _NO_PLACE))
