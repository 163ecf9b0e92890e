"""Encounters with the Empire's forces in a chapter: structured tags first, keywords second (register row S4-26, domain.md C12).

Keywords are read only where no tag names an encounter. A paragraph counts once, and only where one of its sentences has a force
of the Empire and a contact with it, and does not deny it: "no patrol stopped us" is none.
"""

import re
import unicodedata
from typing import Final

from story.threat.environment import ChapterEvents
from story.threat.tags import is_encounter

_FORCES: Final = (
    # English
    "imperial soldiers?", "imperial patrols?", "imperial enforcers?", "imperial troops?", "empire soldiers?", "empire patrols?",
    "empire's soldiers", "empire's patrols?", "soldiers of the empire", "men of the empire", "patrols? of the empire",
    "enforcers?", "iron oath", "specimen series", "voice of order",
    # Vietnamese
    "lính đế chế", "lính đế quốc", "quân đế chế", "quân đế quốc", "lính tuần tra", "đội tuần tra", "binh lính đế chế",
    "lính empire", "quân empire", "đội cưỡng chế", "lính cưỡng chế",
)  # fmt: skip
_CONTACTS: Final = (
    "attack(?:s|ed|ing)?", "ambush(?:es|ed)?", "block(?:s|ed)?", "surround(?:s|ed)?", "arrest(?:s|ed)?", "clash(?:es|ed)?",
    "fought", "fights?", "charge[sd]?", "seize[sd]?", "stop(?:s|ped)?", "chase[sd]?", "strikes?", "struck", "draw their blades",
    "drew their blades", "close[sd]? in", "demand(?:s|ed)?", "confront(?:s|ed)?",
    "tấn công", "phục kích", "chặn đường", "chặn", "bao vây", "bắt giữ", "bắt", "giao chiến", "đụng độ", "truy đuổi", "đuổi theo",
    "xông vào", "rút kiếm", "áp sát", "đánh", "vây",
)  # fmt: skip
_DENIALS: Final = (
    "no", "not", "never", "without", "nobody", "none", "didn't", "did not", "far from", "stories of", "không", "chưa", "chẳng",
    "không có", "đừng", "không hề",
)  # fmt: skip


def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(sorted(words, key=len, reverse=True)) + r")(?!\w)")


_FORCE, _CONTACT, _DENIAL = _any_of(_FORCES), _any_of(_CONTACTS), _any_of(_DENIALS)
_SENTENCE: Final = re.compile(r"[^.!?…\n]+")


def empire_encounters(events: ChapterEvents) -> int:
    """Return how often the player met the Empire's forces in a chapter."""
    tagged = sum(1 for tag in events.tags if is_encounter(tag))
    if tagged:
        return tagged
    plain = unicodedata.normalize("NFC", events.text).casefold().replace("’", "'")
    return sum(1 for paragraph in re.split(r"\n\s*\n", plain) if any(map(_is_encounter, _SENTENCE.findall(paragraph))))


def _is_encounter(sentence: str) -> bool:
    return bool(_FORCE.search(sentence) and _CONTACT.search(sentence) and not _DENIAL.search(sentence))
