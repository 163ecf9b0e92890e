"""Evidence: named integer signals with a unit and the places of the request that they were read from.

The same signals feed rule judges, veto and floor rules, prompts and the explanation (council.md, procedure 3).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from policies.verdicts import Member

Unit = Literal["ppm", "permille", "milli", "points", "count", "flag", "ticks"]
"""ppm of a share; permille scores of 0 to 1000; milli of meters and points; impact points of 0 to 100; counts; 0 or 1."""


@dataclass(frozen=True, slots=True)
class SignalSpec:
    """What a signal means: the catalogue's entry, printed by `council policy signals`.

    Attributes:
        name: unique snake_case name; rules, votes and reasons cite it.
        owner: the member that finds it, or "triage".
        unit: unit of the integer value.
        low: least value it can have.
        high: greatest value it can have.
        meaning: one sentence.
        source: register row, design section or paper.
    """

    name: str
    owner: Member | Literal["triage"]
    unit: Unit
    low: int
    high: int
    meaning: str
    source: str


@dataclass(frozen=True, slots=True)
class ThresholdSpec:
    """A number of a member's rule judge that designers tune in the policy file.

    Attributes:
        default: what the shipped policy says.
        unit: unit of the signals that it is compared with.
        low: least sensible value.
        high: greatest sensible value.
        meaning: one sentence.
        source: where the default comes from.
    """

    default: int
    unit: Unit
    low: int
    high: int
    meaning: str
    source: str


class Signal(NamedTuple):
    """One finding: a signal's value in this case.

    A signal that cannot be computed from the request is left out; it never stands in as zero.
    """

    name: str
    value: int
    pointers: tuple[str, ...] = ()
    """JSON pointers into the request: what the value was read from."""


Evidence = tuple[Signal, ...]


def values_of(evidence: Iterable[Signal]) -> dict[str, int]:
    """Return signal values by name."""
    return {signal.name: signal.value for signal in evidence}


Values = Mapping[str, int]
