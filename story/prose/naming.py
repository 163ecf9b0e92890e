"""Who is meant: the words of a beat's slots, and when a name gives way to a role or a pronoun.

Nobody in a tale has a gender. Spanish leaves the subject out, English and Vietnamese keep the name or say the role; each only
where nobody else could be meant. English never says they of one: in most chapters they are a crowd.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from policies.draws import Draws
from story.planner.plan import Beat, Plan
from story.prose.grammar import slots_in
from story.prose.sentences import possessive
from story.prose.words import Lexicon, Word, in_capitals, word_of
from story.tale.tale import CastMember, Tale

NOBODY: Final = "nobody"
_SECTIONS: Final = {
    "thing": "things", "question": "questions", "promise": "promises", "wound": "wounds", "want": "wants", "need": "needs",
    "stake": "stakes", "direction": "directions", "reason": "reasons", "sign": "signs", "unit": "units", "echo": "echoes",
    "role": "roles",
}  # fmt: skip
_PLACES: Final = ("place", "territory", "destination")
_FACTIONS: Final = ("faction", "controller", "former", "rival")
WITHHELD: Final = "withheld"
_KINDS: Final = {
    "lowered": "bounded",
    "raised": "floored",
    "changed": "replaced",
    "dropped": "dropped",
    "withheld": "withheld",
}
"""How the world's service says what a verdict required, and what the lexicon calls it."""
_CROWDED: Final = ("followed",)
"""Personal beats with strangers in them, whom a verb without a subject would mean."""
_MOST_LEFT_OUT: Final = 2


def members_of(plan: Plan, tale: Tale) -> dict[str, CastMember]:
    """Return the cast that a chapter may name, by entity id, those whom it brings in included."""
    return {**tale.cast, **{each.entity_id: each for each in plan.new_characters}}


def words_of(
    beat: Beat, tale: Tale, cast: Mapping[str, CastMember], lexicon: Lexicon, names: Mapping[str, str]
) -> dict[str, Word]:
    """Return what fills the holes of a beat's sentences.

    Args:
        names: display names of places and factions that the lexicon does not know, by id.

    Raises:
        InvalidInputError: where an id of the pools has no words.
    """
    slots = {
        "faction": NOBODY,
        "former": NOBODY,
        "controller": NOBODY,
        "rival": NOBODY,
        **beat.slots,
        "place": beat.place,
    }
    words = {"hero": Word(tale.hero_name, "hero")}
    npc = slots.get("npc") or next((each for each in beat.characters if each != tale.hero), "")
    if npc in cast:
        words["npc"] = Word(cast[npc].name, "person", role=_role(cast[npc].role, lexicon))
    for slot, value in slots.items():
        if slot in _PLACES:
            words[slot] = _named(value, "territories", lexicon, names)
        elif slot in _FACTIONS:
            words[slot] = _faction(value or NOBODY, beat.storylet, lexicon, names)
        elif slot in _SECTIONS and value:
            words[slot] = word_of(lexicon.entry(_SECTIONS[slot], value))
    return words | _of_world(slots, cast, lexicon, names)


def condition_kind(condition: str) -> str:
    """Return what a required modification did, as the lexicon calls it: withheld, dropped, bounded, floored or replaced."""
    head = condition.partition(":")[0].strip().lower()
    return _KINDS.get(head, head if head in _KINDS.values() else "replaced")


def conditions_of(beat: Beat) -> tuple[str, ...]:
    """Return the kinds of conditions that a beat must tell, each once."""
    slots = sorted(name for name in beat.slots if name == "condition" or name.startswith("condition_"))
    return kinds_told([beat.slots[name] for name in slots])


def kinds_told(conditions: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds of a verdict's conditions, each once; where what was asked itself was withheld, nothing but that."""
    kinds = tuple(dict.fromkeys([condition_kind(each) for each in conditions]))
    return (WITHHELD,) if WITHHELD in kinds else kinds


class Names:
    """How people are named through one chapter: by name with their role at first, then by name, role or pronoun."""

    def __init__(self, lexicon: Lexicon, draws: Draws) -> None:
        self._lexicon = lexicon
        self._draws = draws
        self._met: set[str] = set()
        self._line = ""
        self._before = ""
        self._beat: Beat | None = None
        self._left_out = 0
        self._words: Mapping[str, Word] = {}
        self._key: tuple[object, ...] = ()

    def begin(self, beat: Beat, words: Mapping[str, Word]) -> None:
        """Begin a beat: nobody has been named in it yet."""
        self._beat, self._words, self._before, self._line = beat, words, "", ""

    def line(self, line: str, *key: object) -> None:
        """Begin a line."""
        self._before, self._line, self._key = self._line, line, key

    def part(self) -> None:
        """Begin a paragraph: whoever is meant is named again."""
        self._line = ""

    def __call__(self, slot: str, form: str) -> str:
        """Return what stands for a person in the line."""
        return self._hero(form) if slot == "hero" else self._person(slot, form)

    def _hero(self, form: str) -> str:
        name, language = self._words["hero"].text, self._lexicon.language
        if form != "name" and language == "es" and self._is_plain() and self._left_out < _MOST_LEFT_OUT:
            self._left_out += 1
            return ""
        self._left_out = 0
        return possessive(name) if form == "poss" and language == "en" else name

    def _is_plain(self) -> bool:
        """Tell whether nobody but the hero, named in the line before, could be meant."""
        beat = self._beat
        if beat is None or beat.kind != "personal" or "npc" in self._words or beat.storylet in _CROWDED:
            return False
        return "hero" in slots_in(self._before)

    def _person(self, slot: str, form: str) -> str:
        word, language = self._words[slot], self._lexicon.language
        if form == "name":
            return word.text
        is_first = word.text not in self._met
        self._met.add(word.text)
        if form == "poss" and language == "en":
            return possessive(word.text)
        if is_first and word.role:
            return _introduced(word, language)
        if (
            language != "es"
            and word.role
            and slot in slots_in(self._before)
            and not self._draws.below(3, *self._key, slot)
        ):
            return f"the {word.role}" if language == "en" else word.role
        return word.text


def _introduced(word: Word, language: str) -> str:
    if language == "vi":
        return f"{word.role} {word.text}"
    return f"{word.text} the {word.role}" if language == "en" else f"{word.text}, {word.role},"


def _role(role: str, lexicon: Lexicon) -> str:
    entry = lexicon.sections["roles"].get(role)
    return entry.text if entry is not None else ""


def _named(value: str, section: str, lexicon: Lexicon, names: Mapping[str, str]) -> Word:
    entry = lexicon.sections[section].get(value)
    if entry is not None:
        return word_of(entry)
    return Word(names.get(value) or in_capitals(value), at={"en": "in", "vi": "ở", "es": "en"}[lexicon.language])


def _faction(value: str, storylet: str, lexicon: Lexicon, names: Mapping[str, str]) -> Word:
    if value == NOBODY and storylet.startswith("verdict_"):
        return word_of(lexicon.entry("others", "askers"))
    return _named(value, "factions", lexicon, names)


def _of_world(
    slots: Mapping[str, str], cast: Mapping[str, CastMember], lexicon: Lexicon, names: Mapping[str, str]
) -> dict[str, Word]:
    """Return the words of triggers, campaigns and subjects, which another world may have of its own."""
    words = {}
    for slot, section in (("trigger", "triggers"), ("campaign", "campaigns")):
        if slots.get(slot):
            words[slot] = _named(slots[slot], section, lexicon, names)
    subject = slots.get("subject")
    if subject is not None:
        entry = lexicon.subject(subject)
        known = names.get(subject) or (cast[subject].name if subject in cast else None)
        words["subject"] = word_of(entry) if entry else Word(known or lexicon.entry("others", "something").text)
    return words
