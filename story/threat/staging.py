"""Which signs and encounters of the taxonomy a chapter may show now (register rows S4-18, S4-29 to S4-47, S4-55 to S4-57).

A named villain on stage halves the weight of every encounter, and a Lieutenant's unit then stands behind and never acts.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from policies.draws import Draws
from story.threat.environment import General, PlayerState, ThreatEnvironment
from story.threat.tower import SHIFTS_FROM

ENCOUNTERS: Final = frozenset({"patrol_met", "unit_near", "experiment_asks"})
"""Storylets in which somebody stands against the player."""
FULL: Final = 1_000
UNITS: Final[Mapping[General, str]] = {
    "vorn": "iron-oath", "kha": "the-hollow", "mireth": "specimen-series", "azen": "voice-of-order",
}  # fmt: skip
UNMAPPED_FROM: Final = 70
"""Instability from which rooms appear that are on no map."""
LOW_COHERENCE: Final = 40
"""Coherence below which the player meets a distorted self."""
RISING_FROM: Final = 20
"""Intensity from which towns close early and patrols double (S4-68)."""


class Stage(NamedTuple):
    """A threat storylet that may be played."""

    storylet: str
    slots: Mapping[str, str]
    weight: int
    """Permille of a full chance."""


def on_stage(
    environment: ThreatEnvironment,
    player: PlayerState,
    *,
    signs: Mapping[str, tuple[str, ...]],
    draws: Draws,
    chapter: int = 0,
    realm_permille: int = FULL,
) -> tuple[Stage, ...]:
    """Return what may be shown, in the order of the storylets' names.

    Args:
        signs: per kind (watcher, enforcement, tower, experiment, anomaly), the signs there are (S4-68).
        chapter: the chapter being planned: other signs in other chapters.
        realm_permille: how strong the Empire is in the whole realm (K14); weighs its encounters.
    """
    sign = _Signs(signs, draws, chapter)
    stages = [*_empire(environment, player, sign, realm_permille), *_corruption(environment, player, sign)]
    stages.sort(key=lambda stage: (stage.storylet, sorted(stage.slots.items())))
    return tuple([_behind_villains(stage, player) for stage in stages])


class _Signs(NamedTuple):
    signs: Mapping[str, tuple[str, ...]]
    draws: Draws
    chapter: int

    def one(self, kind: str, fitting: tuple[str, ...] | None = None) -> Mapping[str, str]:
        choices = self.signs[kind] if fitting is None else fitting
        return {"sign": self.draws.one_of(choices, "sign", kind, self.chapter)}


def _empire(environment: ThreatEnvironment, player: PlayerState, sign: _Signs, realm_permille: int) -> Iterator[Stage]:
    general = environment.general_zone_affiliation
    if environment.watcher_active:
        yield Stage("watcher_sign", sign.one("watcher"), FULL // 2)
    if environment.enforcement_intensity >= RISING_FROM:
        yield Stage("watcher_sign", sign.one("enforcement"), FULL // 2)
    if 2 in environment.active_empire_tiers:
        weight = min(FULL, (300 + 7 * environment.enforcement_intensity) * realm_permille // FULL)
        yield Stage("patrol_met", {"style": general or "faceless"}, weight)
    if environment.lieutenant_unit_deployed and general is not None:
        yield Stage("unit_behind" if player.named_villain_active else "unit_near", {"unit": UNITS[general]}, FULL)
    if 4 in environment.active_empire_tiers:
        yield Stage(
            "experiment_asks", sign.one("experiment"), FULL if player.archetype in ("seeker", "wanderer") else 600
        )


def _corruption(environment: ThreatEnvironment, player: PlayerState, sign: _Signs) -> Iterator[Stage]:
    instability = environment.tower_instability
    if player.tower_floor and instability >= SHIFTS_FROM and (fitting := _tower_signs(instability, player)):
        yield Stage("tower_shifts", sign.one("tower", fitting), 10 * instability)
    if environment.identity_echo_present and environment.echo_seed is not None:
        yield Stage("echo_speaks", {"echo": environment.echo_seed}, FULL // 2)
    if environment.world_anomaly_active:
        yield Stage("anomaly_seen", sign.one("anomaly"), FULL)


def _tower_signs(instability: int, player: PlayerState) -> tuple[str, ...]:
    """Return what the Tower can do: forget a known floor, mirror who comes apart, grow rooms that lead nowhere (S4-41)."""
    known = ("floor-unknown-again",) if player.tower_floor <= player.floors_cleared else ()
    mirrored = ("mirror-self",) if player.identity_coherence < LOW_COHERENCE else ()
    unmapped = ("room-not-on-any-map",) if instability >= UNMAPPED_FROM else ()
    return known + mirrored + unmapped


def _behind_villains(stage: Stage, player: PlayerState) -> Stage:
    if player.named_villain_active and stage.storylet in ENCOUNTERS:
        return stage._replace(weight=stage.weight // 2)
    return stage
