"""What threatens one player in one realm, and what of the player decides it (register rows S4-6 to S4-13, S4-70, K14).

All numbers are whole, 0 to 100. Nothing here is ever shown to a player (S4-67).
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

General = Literal["vorn", "kha", "mireth", "azen"]
ThreatPressure = Literal["calm", "observed", "contested", "siege", "anomalous"]
AnomalyProfile = Literal["phase1", "full"]
"""phase1: act 4, at most once per player; full: acts 3 and 4, under the conditions of S4-46 (K10)."""

GENERALS: Final[tuple[General, ...]] = get_args(General)
PRESSURES: Final[tuple[ThreatPressure, ...]] = get_args(ThreatPressure)


@dataclass(frozen=True, slots=True)
class ThreatEnvironment:
    """The abstract state of document 004 §III; immutable, each chapter's close makes the next.

    Attributes:
        active_empire_tiers: tiers 1 to 4 that are at work, sorted.
        general_zone_affiliation: the General who is assigned to the player.
        watcher_active: Tier 1.
        enforcement_intensity: 0 to 100.
        lieutenant_unit_deployed: Tier 3.
        tower_instability: 0 to 100.
        identity_echo_present: an echo of somebody who went before.
        world_anomaly_active: a sign of the Veiled Will.
        anomalies_seen: how many anomalies the player has met: one at most under the profile phase1 (S4-65).
        echo_seed: who the echo is, an id of the archetype's pool; None where there is none (S4-44).
        beaten: Generals whose Lieutenant has been met and is done with: their unit is not sent again (S4-35).
    """

    active_empire_tiers: tuple[int, ...] = ()
    general_zone_affiliation: General | None = None
    watcher_active: bool = False
    enforcement_intensity: int = 0
    lieutenant_unit_deployed: bool = False
    tower_instability: int = 0
    identity_echo_present: bool = False
    world_anomaly_active: bool = False
    anomalies_seen: int = 0
    echo_seed: str | None = None
    beaten: tuple[General, ...] = ()


@dataclass(frozen=True, slots=True)
class PlayerState:
    """What the threat rules read of a player (S4-70).

    Attributes:
        user_id: the account.
        notoriety: 0 to 100.
        identity_coherence: 0 to 100.
        curiosity_depth: 0 to 100.
        archetype: such as seeker, wanderer, guardian, rebel.
        player_seed: who the player set out as.
        act: 1 to 4.
        tower_floor: floor of the Tower the player stands on, 1 to 3; 0 outside of it.
        floors_cleared: highest floor completed, 0 to 3.
        veiled_will_phase: of the villains, 0 or more.
        place: territory id where the player is.
        is_in_influence: whether the player is where the Empire reaches; False turns the Watcher off (S4-19).
        named_villain_active: whether an Emissary or a General is on stage (S4-56).
    """

    user_id: str
    notoriety: int = 0
    identity_coherence: int = 50
    curiosity_depth: int = 0
    archetype: str = "wanderer"
    player_seed: str = ""
    act: int = 1
    tower_floor: int = 0
    floors_cleared: int = 0
    veiled_will_phase: int = 0
    place: str = ""
    is_in_influence: bool = True
    named_villain_active: bool = False


@dataclass(frozen=True, slots=True)
class ChapterEvents:
    """What happened in one chapter, as the threat rules read it: structured tags first, keywords second (C12).

    Attributes:
        tags: such as empire_encounter, emissary_contact, floor_1_completed, captive_rescued, lieutenant_defeated, mireth_event.
        text: what the simulator or the chapter said, searched for keywords only where no tag names an encounter.
        entered: territory ids entered, with who controls them.
    """

    tags: tuple[str, ...] = ()
    text: str = ""
    entered: tuple[tuple[str, str | None], ...] = ()
