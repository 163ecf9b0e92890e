"""Composing a chapter without a model: what must be told, in sentences that vary by mood, place, manner, pressure and pacing.

Each line is drawn by chapter, beat and what it is for (K13), so that a change in one beat shifts no other; only a line that
another beat has said already, or that denies what a neighbouring beat says, gives way to the next.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from policies.draws import Draws
from story.context.items import WorldContext
from story.planner.plan import Beat, Plan
from story.prose.choosing import Need, Sayer
from story.prose.grammar import Claims, Grammar, Lines, Shared, lasting, slots_in
from story.prose.grammar_document import grammar_of
from story.prose.naming import Names, members_of, words_of
from story.prose.telling import facts_of_items, tellings, text_of
from story.prose.titles import title_of
from story.prose.words import Lexicon, Word
from story.tale.tale import Tale

ENOUGH: Final = 920
"""Permille of a beat's words from which nothing is added."""
MOST: Final = 1_300
"""Permille of a beat's words that an addition may not pass; the bound of the lint is 1,400."""
SCANT: Final = 700
"""Permille below which a beat takes what any narrator may say: several of one storylet have used its own lines up."""
LYRICAL_EVERY: Final = 3
"""One beat in so many has a line of the lyrical manner."""
_FIRST: Final = ("-before",)
_SHORT: Final = 55
"""Words below which a beat has no room for a transition."""
_ONE_PARAGRAPH: Final = 75
_INSIDE: Final = ("tower_shifts", "echo_speaks", "experiment_asks")
"""Storylets whose scene is apart from the streets of the place they are reached from."""
_KEYS: Final = ("npc", "promise", "question", "want", "need", "stake", "wound", "destination")
"""Slots that a beat's sentences should name at least once."""
_ORDER: Final = ("lead", "place", "pressure", "open", "mood", "tell", "middle", "end", "lyrical", "closing")
_ORDER_PERSONAL: Final = ("lead", "place", "pressure", "open", "mood", "middle", "tell", "end", "lyrical", "closing")
_MOVES: Final = ("arrive", "change")
"""Leads that say where the hero is: they are never left out."""
_SCENE: Final = ("lead", "place", "pressure", "open", "mood")


class Paragraph(NamedTuple):
    """A paragraph of one beat."""

    beat: int
    """The beat's number."""
    text: str


class Composed(NamedTuple):
    """A chapter in words."""

    title: str
    paragraphs: tuple[Paragraph, ...]
    """One or two per beat, in the plan's order."""
    used: tuple[str, ...] = ()
    """Keys of the lines said: `avoid` of the next chapters."""


def compose(
    plan: Plan,
    tale: Tale,
    lexicon: Lexicon,
    *,
    context: WorldContext | None = None,
    avoid: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    grammar: Grammar | None = None,
) -> Composed:
    """Return a chapter's title and paragraphs; the same inputs make the same bytes.

    Args:
        plan: the chapter's plan.
        tale: the story before it.
        lexicon: words of the language to write in.
        context: the world items that the plan may tell.
        avoid: `used` of the last chapters, the latest last.
        names: display names of places and factions that the lexicon does not know, by id.
        grammar: sentences of the language; the shipped ones where none are given.

    Raises:
        InvalidInputError: where an id of the pools has no words.
    """
    draws = Draws(plan.seed)
    named = Names(lexicon, draws)
    grammar = grammar or grammar_of(lexicon.language)
    sayer = Sayer(lexicon.language, draws, named, avoid, grammar.claims)
    cast = members_of(plan, tale)
    paragraphs: list[Paragraph] = []
    for at, beat in enumerate(plan.beats):
        words = words_of(beat, tale, cast, lexicon, names or {})
        sayer.begin(_around(plan, at, grammar))
        blocks = _Beat(plan, at, tale, grammar, context, words, sayer, draws).lines()
        named.begin(beat, words)
        paragraphs += [Paragraph(beat.number, text) for text in _said(blocks, beat, words, sayer, named, plan)]
    return Composed(title_of(plan, tale, lexicon, draws), tuple(paragraphs), sayer.used)


def _around(plan: Plan, at: int, grammar: Grammar) -> Claims:
    """Return what a beat and its neighbours take for granted; before the first chapter there was nothing to go on from."""
    near = [text_of(beat, grammar).says for beat in plan.beats[max(0, at - 1) : at + 2]]
    here = text_of(plan.beats[at], grammar).says
    return here.union(lasting(frozenset().union(*near)), _FIRST if plan.chapter == 1 and at == 0 else ())


Blocks = dict[str, list[str]]
"""Lines by what they are for."""


class _Beat:
    """Chooses the lines of one beat."""

    def __init__(
        self, plan: Plan, at: int, tale: Tale, grammar: Grammar, context: WorldContext | None, words: Mapping[str, Word],
        sayer: Sayer, draws: Draws,
    ) -> None:  # fmt: skip
        self._plan, self._tale, self._shared = plan, tale, grammar.shared
        self._beat, self._before = plan.beats[at], plan.beats[at - 1] if at else None
        self._is_last = at == len(plan.beats) - 1
        self._seen = {each.place for each in plan.beats[:at]}
        self._text = text_of(self._beat, grammar)
        self._tellings = tellings(self._beat, self._text, facts_of_items(self._beat, context))
        self._words, self._sayer, self._draws = words, sayer, draws
        self._blocks: Blocks = {}
        self._length = 0
        self._missing = {slot for slot in _KEYS if slot in words and self._beat.kind == "personal"}

    def lines(self) -> Blocks:
        """Return the beat's lines: what is needed, then additions until it is long enough."""
        self._need()
        additions, anyone = self._additions(), [_last(self._shared)] * 3
        rounds: list[tuple[int, list[tuple[str, str, Lines]], Need]] = [
            (ENOUGH, additions, "may"), (SCANT, anyone, "may"), (SCANT, additions, "must"), (SCANT, anyone, "must"),
        ]  # fmt: skip
        for least, offered, need in rounds:
            for kind, block, lines in offered:
                if self._length * 1_000 >= self._beat.words * least:
                    break
                self._add(kind, block, lines, need=need, most=MOST)
        return self._blocks

    def _need(self) -> None:
        beat, text, name = self._beat, self._text, self._beat.storylet
        lead = _lead(beat, self._before, self._shared, self._plan, self._draws)
        if lead is not None:
            self._add("lead", *lead, need="must" if lead[0] in _MOVES else "may")
        for at, lines in enumerate(self._tellings):
            variant = next(key for key, value in text.tell.items() if value == lines)
            self._add("tell", f"{name}.tell.{variant}", lines, at)
        self._add("open", f"{name}.open", text.open)
        if beat.kind == "personal":
            self._add("middle", f"{name}.middle", text.middle)
        self._add("end", f"{name}.end", text.end)
        for _ in text.middle:
            self._add("middle", f"{name}.middle", text.middle, need="names")
        if self._is_last:
            self._add("closing", f"pacing.{self._plan.pacing}", self._shared.pacing[self._plan.pacing])

    def _additions(self) -> list[tuple[str, str, Lines]]:
        beat, shared, middle = self._beat, self._shared, ("middle", f"{self._beat.storylet}.middle", self._text.middle)
        is_lyrical = self._tale.style == "lyrical" and not self._draws.below(LYRICAL_EVERY, *self._key("lyrical"))
        is_inside = beat.storylet in _INSIDE
        place = ("place", f"places.{beat.place}", () if is_inside else shared.places.get(beat.place, ()))
        pressure = (
            "pressure",
            f"pressures.{self._plan.pressure}",
            () if is_inside else shared.pressures[self._plan.pressure],
        )
        mood = ("mood", f"moods.{beat.mood}", shared.moods[beat.mood])
        lyrical = ("lyrical", "lyrical", shared.lyrical if is_lyrical else ())
        first = [place] if beat.place not in self._seen else []
        later = [place] if beat.place in self._seen else []
        texture = [pressure, mood] if self._draws.below(2, *self._key("texture")) else [mood, pressure]
        return [
            middle,
            *first,
            lyrical,
            texture[0],
            middle,
            texture[1],
            middle,
            *later,
            middle,
            middle,
            pressure,
            mood,
            place,
            place,
            pressure,
            mood,
        ]

    def _add(
        self, kind: str, block: str, lines: Lines, at: int = 0, *, need: Need = "must", most: int | None = None
    ) -> None:
        """Add a line, unless it would make the beat longer than `most` permille of its words."""
        chosen = self._sayer.pick(block, lines, self._words, self._missing, *self._key(block, at), need=need)
        if chosen is None:
            return
        line = lines[chosen]
        length = self._length + len(line.split())
        if most is not None and length * 1_000 > self._beat.words * most:
            return
        self._sayer.take(block, lines, chosen)
        self._length = length
        self._missing -= slots_in(line)
        self._blocks.setdefault(kind, []).append(line)

    def _key(self, *what: object) -> tuple[object, ...]:
        return (self._plan.story_id, self._plan.chapter, self._beat.number, *what)


def _last(shared: Shared) -> tuple[str, str, Lines]:
    return "lyrical", "lyrical", shared.lyrical


def _lead(beat: Beat, before: Beat | None, shared: Shared, plan: Plan, draws: Draws) -> tuple[str, Lines] | None:
    """Return how a beat follows from the one before it, or None where it simply goes on."""
    if before is None:
        return "arrive", shared.arrive
    if beat.storylet in ("crossing", "tower_shifts"):
        return None
    if before.place != beat.place and before.slots.get("destination") != beat.place:
        return "change", shared.change
    is_kept = beat.words >= _SHORT and draws.below(3, plan.story_id, plan.chapter, beat.number, "lead") > 0
    return _transition(beat, before, shared) if is_kept else None


def _transition(beat: Beat, before: Beat, shared: Shared) -> tuple[str, Lines] | None:
    """Return how one matter gives way to another at the same place; threats come unannounced."""
    match (before.kind, beat.kind):
        case (_, "threat") | ("world" | "threat", "world"):
            return None
        case ("personal", "world"):
            return "aside", shared.aside
        case ("world", _):
            return "back", shared.back
        case _:
            return ("follow", shared.follow) if before.thread_id == beat.thread_id else ("stay", shared.stay)


def _said(blocks: Blocks, beat: Beat, words: Mapping[str, Word], sayer: Sayer, named: Names, plan: Plan) -> list[str]:
    """Return a beat's paragraphs: one where it is short, else the scene apart from what happens in it."""
    order = _ORDER_PERSONAL if beat.kind == "personal" else _ORDER
    length = sum(len(line.split()) for lines in blocks.values() for line in lines)
    parts: list[list[str]] = [[]]
    for kind in order:
        if parts[-1] and kind == order[len(_SCENE)] and length > _ONE_PARAGRAPH:
            parts.append([])
            named.part()
        for at, line in enumerate(blocks.get(kind, ())):
            text = sayer.say(line, words, plan.story_id, plan.chapter, beat.number, kind, at)
            if text is not None:
                parts[-1].append(text)
    return [" ".join(part) for part in parts if part]
