"""Canon locks in prose: entity and claim patterns, one per lock that has any (domain.md C8, lexical guards)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from story.languages import Language
from story.prose.lint_found import Found, around
from story.prose.lint_patterns import CITY, CITY_CLAIMS, CITY_NAMES, GUARDS
from world.canon_terms import plain

_SENTENCE: Final = re.compile(r"[^.!?…]+")


def canon_faults(
    text: str, place: str | None, locks: Sequence[Mapping[str, Any]], language: Language
) -> Iterator[Found]:
    """Yield what a paragraph says against the locks that hold.

    Claims about people are looked for in every language; words for the sea only in the text's own: English "sea" and "quay"
    are everyday words of Spanish and Vietnamese.
    """
    statements = {(plain(str(lock["subject"])), plain(str(lock["predicate"]))): lock for lock in locks}
    seen = plain(text.replace("’", "'"))
    for guard in GUARDS:
        lock = statements.get((guard.subject, guard.predicate))
        if lock is None or not any(key in seen for key in guard.keys):
            continue
        match = next((found for pattern in guard.patterns if (found := pattern.search(seen))), None)
        if match is not None:
            yield Found("canon", around(seen, *match.span()), _told(lock))
    city = statements.get(CITY)
    if city is not None:
        yield from _city(seen, place, city, CITY_CLAIMS[language])


def kept_name(name: str, locks: Sequence[Mapping[str, Any]]) -> str | None:
    """Return what canon says of somebody or something of this name, where a lock is about them; None for a name that is free.

    A hero who is called like a General would break that General's lock in every paragraph.
    """
    statements = {(plain(str(lock["subject"])), plain(str(lock["predicate"]))): lock for lock in locks}
    seen = plain(name.replace("’", "'"))
    for guard in GUARDS:
        lock = statements.get((guard.subject, guard.predicate))
        if lock is not None and any(re.search(rf"(?<!\w){re.escape(key)}(?!\w)", seen) for key in guard.keys):
            return str(lock.get("statement") or "this name is locked")
    return None


def _city(seen: str, place: str | None, lock: Mapping[str, Any], claims: re.Pattern[str]) -> Iterator[Found]:
    for sentence in _SENTENCE.finditer(seen):
        if place != CITY[0] and not CITY_NAMES.search(sentence[0]):
            continue
        match = claims.search(sentence[0])
        if match is not None:
            yield Found("canon", around(sentence[0], *match.span()), _told(lock))
            return


def _told(lock: Mapping[str, Any]) -> str:
    return f"canon ({lock.get('id', lock['subject'])}): {lock.get('statement') or 'this is locked'}; leave it out"
