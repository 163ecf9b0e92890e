"""What sets the forces of document 004 in motion, and what quiets them; runs at a chapter's close (S4-16 to S4-48, S4-59, S4-60).

`close_chapter` does it in the document's order: encounters add to the intensity, triggers are looked at with it, and a chapter
without an encounter lowers it. Every change says why, for --why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from policies.draws import Draws
from story.threat.encounters import empire_encounters
from story.threat.environment import AnomalyProfile, ChapterEvents, PlayerState, ThreatEnvironment
from story.threat.tower import tower_instability

EMPIRE: Final = "empire"
PER_ENCOUNTER: Final = 10
DECAY: Final = 5
WATCHED_FROM: Final = 25
"""Notoriety from which the Empire watches (S4-17)."""
ENFORCED_FROM: Final = 50
"""Notoriety from which it acts (S4-21)."""
LIEUTENANT_FROM: Final = 70
"""Intensity from which a Lieutenant's unit may be sent (S4-27)."""
CURIOUS_FROM: Final = 70
ECHO_FROM: Final = 30
STEADY_FROM: Final = 80
"""Coherence that the Veiled Will notices (S4-46)."""


class Updated(NamedTuple):
    """An environment after a step, and why it is so."""

    environment: ThreatEnvironment
    because: tuple[str, ...] = ()
    """A sentence per change, with numbers: for --why, never for players."""


def close_chapter(
    environment: ThreatEnvironment,
    player: PlayerState,
    events: ChapterEvents,
    *,
    seeds: Mapping[str, Sequence[str]],
    draws: Draws,
    profile: AnomalyProfile = "phase1",
) -> Updated:
    """Return the environment after a chapter: encounters, then triggers, then decay.

    Args:
        seeds: per archetype, whose echoes a player may meet (S4-44).
    """
    encounters = empire_encounters(events)
    raised, because = _raised(environment, encounters)
    updated = update_threat_triggers(raised, player, events, seeds=seeds, draws=draws, profile=profile)
    decayed = apply_chapter_decay(updated.environment, encountered=encounters > 0)
    return Updated(_with_tiers(decayed.environment, player, events), because + updated.because + decayed.because)


def apply_chapter_decay(environment: ThreatEnvironment, *, encountered: bool) -> Updated:
    """Lower the intensity where the Empire met nobody: it patrols less where the player does not show (S4-28)."""
    before = environment.enforcement_intensity
    if encountered or not before:
        return Updated(environment)
    after = max(0, before - DECAY)
    told = f"no encounter in this chapter: enforcement intensity {before} -> {after}"
    return Updated(replace(environment, enforcement_intensity=after), (told,))


def update_threat_triggers(
    environment: ThreatEnvironment,
    player: PlayerState,
    events: ChapterEvents,
    *,
    seeds: Mapping[str, Sequence[str]],
    draws: Draws,
    profile: AnomalyProfile = "phase1",
) -> Updated:
    """Look at every trigger of document 004 with what the player is now."""
    because: list[str] = []
    environment = _watcher(environment, player, events, because)
    environment = _lieutenant(environment, player, events, because)
    environment = _tower(environment, player, because)
    environment = _echo(environment, player, seeds, draws, because)
    environment = _anomaly(environment, player, profile, because)
    return Updated(_with_tiers(environment, player, events), tuple(because))


def enforcement_reasons(player: PlayerState, events: ChapterEvents) -> tuple[str, ...]:
    """Return why the Empire acts against the player in this chapter; empty where it does not (S4-21)."""
    reasons = []
    if player.notoriety >= ENFORCED_FROM:
        reasons.append(f"notoriety {player.notoriety} >= {ENFORCED_FROM}")
    reasons += [
        f"entered {place}, which the Empire holds" for place, controller in events.entered if controller == EMPIRE
    ]
    if "captive_rescued" in events.tags:
        reasons.append("a captive of the Empire was rescued")
    return tuple(reasons)


def experimental_reasons(player: PlayerState, events: ChapterEvents) -> tuple[str, ...]:
    """Return why Mireth's creations are near, where Mireth is the assigned General (S4-36, S4-38)."""
    reasons = []
    if player.tower_floor == 3 or "mireth_zone_entered" in events.tags:
        reasons.append("in Mireth's zone")
    if player.act >= 3 and "mireth_event" in events.tags:
        reasons.append("Mireth's event of act 3")
    if player.curiosity_depth >= CURIOUS_FROM and player.archetype == "seeker":
        reasons.append(f"a seeker's curiosity {player.curiosity_depth} >= {CURIOUS_FROM}")
    return tuple(reasons)


def _raised(environment: ThreatEnvironment, encounters: int) -> tuple[ThreatEnvironment, tuple[str, ...]]:
    if not encounters:
        return environment, ()
    before = environment.enforcement_intensity
    raw = before + PER_ENCOUNTER * encounters
    told = f"{encounters} encounter(s): enforcement intensity {before} -> {min(100, raw)}"
    return replace(environment, enforcement_intensity=min(100, raw)), (
        told + (f" ({raw} before the cap)" if raw > 100 else ""),
    )


def _watcher(
    environment: ThreatEnvironment, player: PlayerState, events: ChapterEvents, because: list[str]
) -> ThreatEnvironment:
    if not player.is_in_influence:
        if environment.watcher_active:
            because.append("the player left the Empire's reach: the Watcher is gone")
        return replace(environment, watcher_active=False)
    if environment.watcher_active:
        return environment
    for holds, told in (
        (player.notoriety >= WATCHED_FROM, f"notoriety {player.notoriety} >= {WATCHED_FROM}"),
        (player.floors_cleared >= 1, "the Tower's first floor is completed"),
        ("emissary_contact" in events.tags, "first contact with an Emissary"),
    ):
        if holds:
            because.append(f"the Watcher is set on the player: {told}")
            return replace(environment, watcher_active=True)
    return environment


def _lieutenant(
    environment: ThreatEnvironment, player: PlayerState, events: ChapterEvents, because: list[str]
) -> ThreatEnvironment:
    general = environment.general_zone_affiliation
    if general is None:
        return replace(environment, lieutenant_unit_deployed=False)
    if "lieutenant_defeated" in events.tags:
        because.append(f"the Lieutenant of {general} was met: the unit is withdrawn")
        beaten = tuple(sorted({*environment.beaten, general}))
        return replace(environment, lieutenant_unit_deployed=False, beaten=beaten)
    if environment.lieutenant_unit_deployed or general in environment.beaten:
        return environment
    for holds, told in (
        (player.act >= 3, "act 3 has begun"),
        (
            environment.enforcement_intensity >= LIEUTENANT_FROM,
            f"intensity {environment.enforcement_intensity} >= {LIEUTENANT_FROM}",
        ),
        (player.floors_cleared >= 2, "the Tower's second floor is cleared"),
    ):
        if holds:
            because.append(f"the unit of {general} is sent: {told}")
            return replace(environment, lieutenant_unit_deployed=True)
    return environment


def _tower(environment: ThreatEnvironment, player: PlayerState, because: list[str]) -> ThreatEnvironment:
    tower = tower_instability(player.identity_coherence, player.tower_floor)
    if tower.value != environment.tower_instability:
        told = f"Tower instability {environment.tower_instability} -> {tower.value}"
        because.append(told + (f" ({tower.raw} before the clamp)" if tower.raw != tower.value else ""))
    return replace(environment, tower_instability=tower.value)


def _echo(
    environment: ThreatEnvironment,
    player: PlayerState,
    seeds: Mapping[str, Sequence[str]],
    draws: Draws,
    because: list[str],
) -> ThreatEnvironment:
    """An echo is a seed like the player's and another: what the player might have been (S4-42 to S4-44)."""
    if not (player.tower_floor >= 2 or environment.tower_instability >= ECHO_FROM):
        if environment.identity_echo_present:
            because.append("the echo has faded")
        return replace(environment, identity_echo_present=False, echo_seed=None)
    if environment.identity_echo_present:
        return environment
    pool = sorted(set(seeds.get(player.archetype, ())) - {player.player_seed})
    seed = draws.one_of(pool, "echo", player.user_id, player.archetype) if pool else None
    because.append(f"an echo is near: floor {player.tower_floor}, Tower instability {environment.tower_instability}")
    return replace(environment, identity_echo_present=True, echo_seed=seed)


def _anomaly(
    environment: ThreatEnvironment, player: PlayerState, profile: AnomalyProfile, because: list[str]
) -> ThreatEnvironment:
    """A sign lasts one chapter; under `phase1` a player sees one in all, in act 4 (S4-46, S4-65, K10)."""
    seen = environment.anomalies_seen + environment.world_anomaly_active
    first_act = 4 if profile == "phase1" else 3
    is_noticed = player.veiled_will_phase >= 1 or player.identity_coherence >= STEADY_FROM
    active = player.act >= first_act and is_noticed and not (profile == "phase1" and seen)
    if active and not environment.world_anomaly_active:
        because.append(f"a sign of what stays unsaid: act {player.act}, coherence {player.identity_coherence}")
    return replace(environment, world_anomaly_active=active, anomalies_seen=seen)


def _with_tiers(environment: ThreatEnvironment, player: PlayerState, events: ChapterEvents) -> ThreatEnvironment:
    """Name the tiers at work: the third is never named apart from its unit, the fourth only under Mireth."""
    is_enforced = environment.enforcement_intensity > 0 or bool(enforcement_reasons(player, events))
    is_experimental = environment.general_zone_affiliation == "mireth" and bool(experimental_reasons(player, events))
    at_work = (environment.watcher_active, is_enforced, environment.lieutenant_unit_deployed, is_experimental)
    return replace(
        environment, active_empire_tiers=tuple([tier for tier, is_on in enumerate(at_work, start=1) if is_on])
    )
