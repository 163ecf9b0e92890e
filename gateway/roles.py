"""What each role may do: one table, and one for what a call of /internal/* takes (register rows S0-84, S0-85, K20).

Whoever carries no role may read what the world shows to everybody, and nothing else.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Role(StrEnum):
    """What a token's `roles` claim may hold."""

    PLAYER = "player"
    SIM = "sim"
    """A world simulation or game server: it reports acts and moves the world."""
    DESIGNER = "designer"
    GAME_MASTER = "game_master"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a caller may be allowed to do beyond reading the public world."""

    READ_OWN = "read_own"
    """Own contribution, personal events, a ticket for the live feed."""
    READ_HIDDEN = "read_hidden"
    """What players do not see: trigger thresholds, anomaly scores, acts in review and in quarantine."""
    READ_DECISIONS = "read_decisions"
    SUBMIT_INFLUENCE = "submit_influence"
    """Report players' acts."""
    ASK_COUNCIL = "ask_council"
    DECLARE_ACTION = "declare_action"
    """Propose a sovereign action for a faction, or object to one."""
    RUN_TICK = "run_tick"
    APPLY_DECISION = "apply_decision"
    TELL_STORY = "tell_story"
    """Plan chapters of players' stories, and close them with what players did."""
    RULE_ON_ACTS = "rule_on_acts"
    """Release an act from quarantine, or roll one back."""
    ADMINISTER = "administer"
    """Whatever no other permission covers."""


_READS: Final = frozenset({Permission.READ_OWN, Permission.READ_HIDDEN, Permission.READ_DECISIONS})
ROLES: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.PLAYER: frozenset({Permission.READ_OWN}),
    Role.SIM: frozenset(
        {
            Permission.READ_HIDDEN,
            Permission.READ_DECISIONS,
            Permission.SUBMIT_INFLUENCE,
            Permission.ASK_COUNCIL,
            Permission.DECLARE_ACTION,
            Permission.RUN_TICK,
            Permission.APPLY_DECISION,
            Permission.TELL_STORY,
        }
    ),
    Role.DESIGNER: _READS,
    Role.GAME_MASTER: _READS
    | {
        Permission.ASK_COUNCIL,
        Permission.DECLARE_ACTION,
        Permission.APPLY_DECISION,
        Permission.RULE_ON_ACTS,
    },
    Role.ADMIN: frozenset(Permission),
}


class InternalCall(NamedTuple):
    """Which permission calls below a path take."""

    method: str
    prefix: str
    permission: Permission


INTERNAL_CALLS: Final = (
    InternalCall("POST", "/internal/council/review", Permission.ASK_COUNCIL),
    InternalCall("GET", "/internal/council/decisions", Permission.READ_DECISIONS),
    InternalCall("POST", "/internal/influence/submit", Permission.SUBMIT_INFLUENCE),
    InternalCall("POST", "/internal/world/tick/run", Permission.RUN_TICK),
    InternalCall("POST", "/internal/world/apply-decision", Permission.APPLY_DECISION),
    InternalCall("POST", "/internal/world/sovereign", Permission.DECLARE_ACTION),
    InternalCall("POST", "/internal/world/queue", Permission.RULE_ON_ACTS),
    InternalCall("GET", "/internal/world", Permission.READ_HIDDEN),
    InternalCall("POST", "/internal/story", Permission.TELL_STORY),
)
"""Held at the edge, before any endpoint. A call that no row names takes ADMINISTER: a forgotten row closes, it does not open."""


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """Return what roles allow together."""
    return frozenset[Permission]().union(*[ROLES[role] for role in roles])


def internal_permission(method: str, path: str) -> Permission:
    """Return what a call of /internal/* takes.

    >>> internal_permission("GET", "/internal/council/decisions/d-1")
    <Permission.READ_DECISIONS: 'read_decisions'>
    >>> internal_permission("GET", "/internal/council/decisions-of-others")
    <Permission.ADMINISTER: 'administer'>
    """
    asked = "GET" if method == "HEAD" else method
    for call in INTERNAL_CALLS:
        if asked == call.method and (path == call.prefix or path.startswith(call.prefix + "/")):
            return call.permission
    return Permission.ADMINISTER
