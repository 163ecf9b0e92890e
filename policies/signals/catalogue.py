"""The catalogue: every signal and threshold that exists, by name (`council policy signals` prints it)."""

from types import MappingProxyType
from typing import Final

from policies.evidence import SignalSpec, ThresholdSpec
from policies.signals import fairness, governor, lore, narrative, risk, triage
from policies.verdicts import MEMBERS, Member

_ROOMS: Final = {"governor": governor, "fairness": fairness, "lore": lore, "narrative": narrative, "risk": risk}

SIGNALS: Final[tuple[SignalSpec, ...]] = (
    *triage.SIGNALS,
    *(spec for member in MEMBERS for spec in _ROOMS[member].SIGNALS),
)
"""Triage's signals, then each member's, in seat order."""

CATALOGUE: Final = MappingProxyType({spec.name: spec for spec in SIGNALS})
"""Every signal by name."""

TRIAGE_NAMES: Final = frozenset(spec.name for spec in triage.SIGNALS)
"""Signals known before the council convenes: all that invocation and seating conditions may read."""

THRESHOLDS: Final[MappingProxyType[Member, dict[str, ThresholdSpec]]] = MappingProxyType(
    {member: _ROOMS[member].THRESHOLDS for member in MEMBERS}
)
"""Per member, the numbers of its rule judge that a policy may set."""
