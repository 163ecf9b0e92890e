"""The recap: what a player's acts did to the world, in sentences of the story's language (S0-73; companions.md, reads).

It tells what the chapter knew: what came of earlier deeds, verdicts, what changed near the hero; and that this chapter's own
deeds are on their way. No hidden number, rank or rule is in it (S4-67).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from policies.draws import Draws
from story.languages import Language
from story.prose.grammar import Lines
from story.prose.lexicon_document import lexicon_of
from story.prose.naming import NOBODY, WITHHELD, kinds_told
from story.prose.sentences import sentence
from story.prose.words import Lexicon, Word, in_capitals, word_of
from story.service.recap_lines import CHANGES, DEEDS, VERDICTS, recap_lines

MOST_LINES: Final = 5
"""More than a page's end can hold."""
MOST_SENT: Final = 1
"""Places whose deeds are said to be on their way."""
About = Literal["death", "deeds", "verdict", "world", "sent", "quiet"]


class Line(NamedTuple):
    """One thing that a recap tells."""

    about: About
    alternatives: Lines
    words: Mapping[str, Word]
    decision_id: str | None = None


class Speaker(NamedTuple):
    """How ids are spoken of in one story."""

    language: Language
    hero: str
    """The hero's name."""
    names: Mapping[str, str]
    """Display names of the realm's places, by id: for those that the lexicon does not know."""


def recap_of(
    context: Mapping[str, Any],
    speaker: Speaker,
    *,
    deaths: Sequence[str] = (),
    places: Sequence[str | None] = (),
    key: Sequence[object] = (),
) -> dict[str, Any]:
    """Return a recap as a page shows it.

    Args:
        context: the payload of the chapter's world context.
        speaker: the story's language and names.
        deaths: names of people who died at this chapter's end: whoever is not met again is remembered once.
        places: where this chapter's deeds were done, in their order; None for one that is tied to no place.
        key: story and chapter, which draw among alternatives (K13).
    """
    lexicon = lexicon_of(speaker.language)
    lost = [Line("death", recap_lines(speaker.language).deaths, {"npc": Word(name, "person")}) for name in deaths]
    found = [*lost, *_lines_of(context, speaker, lexicon), *_sent(places, speaker, lexicon)][:MOST_LINES]
    if not found:
        found = [Line("quiet", recap_lines(speaker.language).quiet, {})]
    return {
        "language": speaker.language,
        "lines": [_said(line, speaker, [*key, at]) for at, line in enumerate(found)],
    }


def _lines_of(context: Mapping[str, Any], speaker: Speaker, lexicon: Lexicon) -> Iterator[Line]:
    told: set[str] = set()
    for row in context["contribution_recap"]:
        if row["territory_id"]:
            told.add(row["territory_id"])
            yield _deeds(row, speaker, lexicon)
    for row in context["verdicts"]:
        if row["final_verdict"] in VERDICTS:
            yield _verdict(row, speaker, lexicon)
    lines = recap_lines(speaker.language).world
    for row in context["local_territory_control"]:
        if row["territory_id"] not in told and row["change"] in CHANGES:
            words = {
                "territory": _place(row["territory_id"], speaker, lexicon),
                "controller": _faction(row["controller"], speaker, lexicon),
            }
            yield Line("world", lines[row["change"]], words)
    for row in context["active_triggers"]:
        if row["phase"] == "fired":
            yield Line("world", lines["fired"], {"trigger": _named(row["trigger_id"], "triggers", speaker, lexicon)})


def _deeds(row: Mapping[str, Any], speaker: Speaker, lexicon: Lexicon) -> Line:
    kind = "nobody" if not row["faction_id"] else "against" if row["is_against"] else row["outcome"]
    words = {
        "territory": _place(row["territory_id"], speaker, lexicon),
        "faction": _faction(row["faction_id"], speaker, lexicon),
    }
    return Line("deeds", recap_lines(speaker.language).deeds[kind if kind in DEEDS else "unmoved"], words)


def _verdict(row: Mapping[str, Any], speaker: Speaker, lexicon: Lexicon) -> Line:
    words = {"faction": _faction(row["faction_id"], speaker, lexicon), "subject": _subject(row, speaker, lexicon)}
    verdict = row["final_verdict"]
    if verdict == "reject":
        reason = row["reason"] if row["reason"] in lexicon.sections["reasons"] else "votes"
        words["reason"] = word_of(lexicon.entry("reasons", reason))
    if verdict == "modify":
        kind = (*kinds_told(row["conditions"]), "replaced")[0]
        words["condition"] = word_of(lexicon.entry("conditions", kind))
        verdict = kind if kind == WITHHELD else verdict
    return Line("verdict", recap_lines(speaker.language).verdicts[verdict], words, row["decision_id"])


def _sent(places: Sequence[str | None], speaker: Speaker, lexicon: Lexicon) -> Iterator[Line]:
    lines = recap_lines(speaker.language)
    known = list(dict.fromkeys([each for each in places if each is not None]))
    for place in known[:MOST_SENT]:
        yield Line("sent", lines.sent, {"territory": _place(place, speaker, lexicon)})
    if places and not known:
        yield Line("sent", lines.sent_elsewhere, {})


def _said(line: Line, speaker: Speaker, key: Sequence[object]) -> dict[str, Any]:
    draws = Draws(0)
    words = {"hero": Word(speaker.hero, "hero"), **line.words}
    chosen = draws.one_of(line.alternatives, "recap", *key)
    text = sentence(chosen, speaker.language, words, lambda slot, _: words[slot].text, draws, "recap", *key)
    cited = {"decision_id": line.decision_id} if line.decision_id is not None else {}
    return {"about": line.about, "text": text, **cited}


def _subject(row: Mapping[str, Any], speaker: Speaker, lexicon: Lexicon) -> Word:
    found = lexicon.subject(row["subject"])
    return word_of(found) if found is not None else _unknown(row["subject"], speaker)


def _place(name: str, speaker: Speaker, lexicon: Lexicon) -> Word:
    found = _named(name, "territories", speaker, lexicon)
    return found if found.at else found._replace(at=_AT[speaker.language])


def _faction(name: str | None, speaker: Speaker, lexicon: Lexicon) -> Word:
    return _named(name or NOBODY, "factions", speaker, lexicon)


def _named(name: str, section: str, speaker: Speaker, lexicon: Lexicon) -> Word:
    found = lexicon.sections[section].get(name)
    return word_of(found) if found is not None else _unknown(name, speaker)


def _unknown(name: str, speaker: Speaker) -> Word:
    return Word(speaker.names.get(name) or in_capitals(name))


_AT: Final[Mapping[Language, str]] = {"en": "in", "vi": "ở", "es": "en"}
"""How one is in a place that the lexicon does not know."""
