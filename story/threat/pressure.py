"""Threat pressure: the one word that the planner receives of all threats (register rows S4-49 to S4-54, S4-72)."""

from collections.abc import Mapping
from typing import Final

from story.languages import Language
from story.threat.environment import ThreatEnvironment, ThreatPressure

SIEGE_FROM: Final = 70
"""Enforcement intensity from which the pressure is siege, whether or not a unit is deployed (K11)."""
CONTESTED_FROM: Final = 40
UNSTABLE_FROM: Final = 60
"""Tower instability from which the pressure is contested."""
UNEASY_FROM: Final = 30


def compute_threat_pressure(environment: ThreatEnvironment) -> ThreatPressure:
    """Return the pressure of an environment, in the order of document 004 §VI."""
    if environment.world_anomaly_active:
        return "anomalous"
    if environment.lieutenant_unit_deployed or environment.enforcement_intensity >= SIEGE_FROM:
        return "siege"
    if environment.enforcement_intensity >= CONTESTED_FROM or environment.tower_instability >= UNSTABLE_FROM:
        return "contested"
    if environment.watcher_active or environment.tower_instability >= UNEASY_FROM:
        return "observed"
    return "calm"


def tone(pressure: ThreatPressure, language: Language) -> str:
    """Return how prose sounds under a pressure, as a model is told (004 §VI, the last column, character for character)."""
    return _TONES[language][pressure]


def shown_tone(pressure: ThreatPressure, language: Language) -> str:
    """Return the same for people who read it: the document's own Vietnamese is half English."""
    return _SHOWN_VI[pressure] if language == "vi" else _TONES[language][pressure]


_TONES: Final[Mapping[Language, Mapping[ThreatPressure, str]]] = {
    "vi": {
        "calm": "NPC bình thường, world detail nhiều hơn",
        "observed": "NPC cẩn thận hơn, subtle warning",
        "contested": "Encounter possible bất kỳ lúc nào, NPC chọn phe",
        "siege": "Empire hiện diện trực tiếp, safe zone thu hẹp",
        "anomalous": "Reality unreliable, NPC behave unexpectedly",
    },
    "en": {
        "calm": "people behave as ever, more detail of the world",
        "observed": "people are more careful, subtle warnings",
        "contested": "an encounter is possible at any time, people choose sides",
        "siege": "the Empire is present directly, safe places shrink",
        "anomalous": "reality is unreliable, people behave unexpectedly",
    },
    "es": {
        "calm": "la gente actúa como siempre, más detalle del mundo",
        "observed": "la gente es más cautelosa, advertencias sutiles",
        "contested": "un encuentro es posible en cualquier momento, la gente toma partido",
        "siege": "el Imperio está presente directamente, los lugares seguros se reducen",
        "anomalous": "la realidad no es fiable, la gente actúa de forma inesperada",
    },
}

_SHOWN_VI: Final[Mapping[ThreatPressure, str]] = {
    "calm": "mọi người vẫn như thường ngày, thế giới hiện ra kỹ hơn",
    "observed": "người ta dè dặt hơn, có những lời nhắc kín đáo",
    "contested": "có thể chạm trán bất kỳ lúc nào, người ta chọn phe",
    "siege": "Đế Chế hiện diện trực tiếp, những chỗ an toàn thu hẹp dần",
    "anomalous": "thực tại không còn đáng tin, người ta cư xử khác thường",
}
