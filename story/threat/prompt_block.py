"""The block that a story model is given of its world, as document 004 §VIII writes it, in three languages (register row S4-58).

The Vietnamese text is the document's own, character for character; the others say the same. Numbers stand in the block because a
model reads it, never a player: the lint keeps them out of prose (S4-67).
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from story.languages import Language
from story.threat.environment import General, ThreatEnvironment
from story.threat.pressure import CONTESTED_FROM, SIEGE_FROM, UNEASY_FROM, UNSTABLE_FROM, compute_threat_pressure
from story.threat.tower import SHIFTS_FROM


class _Words(NamedTuple):
    watcher: str
    enforcement: str
    strength: tuple[tuple[int, str, str], ...]
    """From which intensity, the word, what follows from it; strongest first."""
    styles: Mapping[General, str]
    tower: str
    instability: tuple[tuple[int, str, str], ...]
    echo: str


def prompt_block(environment: ThreatEnvironment, language: Language = "vi") -> str:
    """Return the block: a heading, the pressure, and a line for each thing that is at work."""
    return "\n".join(["## WORLD STATE:", *[f"- {line}" for line in _lines(environment, _WORDS[language])]])


def _lines(environment: ThreatEnvironment, words: _Words) -> Iterator[str]:
    yield f"Threat pressure: {compute_threat_pressure(environment)}"
    if environment.watcher_active:
        yield words.watcher
    intensity, general = environment.enforcement_intensity, environment.general_zone_affiliation
    if intensity:
        word, told = _level(intensity, words.strength)
        yield words.enforcement.format(word=word, value=intensity, told=told)
        if general is not None:
            yield words.styles[general]
    if environment.tower_instability >= UNEASY_FROM:
        word, told = _level(environment.tower_instability, words.instability)
        yield words.tower.format(word=word, value=environment.tower_instability, told=told)
    if environment.identity_echo_present:
        yield words.echo


def _level(value: int, levels: tuple[tuple[int, str, str], ...]) -> tuple[str, str]:
    return next((word, told) for least, word, told in levels if value >= least)


_WORDS: Final[Mapping[Language, _Words]] = {
    "vi": _Words(
        watcher="Empire: Watcher đã kích hoạt — player đang bị theo dõi",
        enforcement="Empire: Enforcement cường độ {word} ({value}/100) — {told}",
        strength=(
            (SIEGE_FROM, "CAO", "encounter bất kỳ lúc nào"),
            (CONTESTED_FROM, "TRUNG BÌNH", "encounter có thể xảy ra"),
            (0, "THẤP", "tuần tra thưa"),
        ),
        styles={
            "vorn": "Enforcement kiểu Vorn: không nói, chỉ tiến — warrior-grade, direct assault",
            "kha": "Enforcement kiểu Kha: không ai nhớ khuôn mặt họ — adaptable, hit-and-fade",
            "mireth": "Enforcement kiểu Mireth: đã không còn hoàn toàn là người — augmented, experimental gear",
            "azen": "Enforcement kiểu Azen: lời mời nghe như mệnh lệnh — diplomatic enforcers, coercive negotiation",
        },
        tower="Tower: BẤT ỔN {word} ({value}/100) — {told}",
        instability=(
            (UNSTABLE_FROM, "CAO", "layout thay đổi, dead-ends xuất hiện"),
            (SHIFTS_FROM, "TRUNG BÌNH", "layout thay đổi"),
            (0, "THẤP", "dấu hiệu đầu tiên"),
        ),
        echo="Outer: Identity Echo hiện diện — bóng hình giống player, dialogue fragments",
    ),
    "en": _Words(
        watcher="Empire: the Watcher is active — the player is being followed",
        enforcement="Empire: Enforcement intensity {word} ({value}/100) — {told}",
        strength=(
            (SIEGE_FROM, "HIGH", "an encounter at any time"),
            (CONTESTED_FROM, "MEDIUM", "an encounter may happen"),
            (0, "LOW", "patrols are thin"),
        ),
        styles={
            "vorn": "Enforcement, Vorn's manner: they do not speak, they only advance — warrior-grade, direct assault",
            "kha": "Enforcement, Kha's manner: nobody remembers their faces — adaptable, hit-and-fade",
            "mireth": "Enforcement, Mireth's manner: no longer wholly human — augmented, experimental gear",
            "azen": "Enforcement, Azen's manner: an invitation like an order — diplomatic enforcers, coercive negotiation",
        },
        tower="Tower: {word} INSTABILITY ({value}/100) — {told}",
        instability=(
            (UNSTABLE_FROM, "HIGH", "the layout changes, dead ends appear"),
            (SHIFTS_FROM, "MEDIUM", "the layout changes"),
            (0, "LOW", "first signs"),
        ),
        echo="Outer: an Identity Echo is present — a figure like the player, dialogue fragments",
    ),
    "es": _Words(
        watcher="Imperio: el Vigilante está activo — siguen al jugador",
        enforcement="Imperio: intensidad de Enforcement {word} ({value}/100) — {told}",
        strength=(
            (SIEGE_FROM, "ALTA", "un encuentro en cualquier momento"),
            (CONTESTED_FROM, "MEDIA", "puede haber un encuentro"),
            (0, "BAJA", "pocas patrullas"),
        ),
        styles={
            "vorn": "Enforcement al modo de Vorn: no hablan, solo avanzan — warrior-grade, direct assault",
            "kha": "Enforcement al modo de Kha: nadie recuerda sus rostros — adaptable, hit-and-fade",
            "mireth": "Enforcement al modo de Mireth: ya no son del todo humanos — augmented, experimental gear",
            "azen": "Enforcement al modo de Azen: una invitación que suena a orden — diplomatic enforcers, coercive negotiation",
        },
        tower="Torre: INESTABILIDAD {word} ({value}/100) — {told}",
        instability=(
            (UNSTABLE_FROM, "ALTA", "la planta cambia, aparecen pasillos sin salida"),
            (SHIFTS_FROM, "MEDIA", "la planta cambia"),
            (0, "BAJA", "primeras señales"),
        ),
        echo="Outer: un Eco de identidad está presente — una figura como el jugador, fragmentos de diálogo",
    ),
}
