"""What is wrong with a policy file: file, line, key, what, and what to write instead."""

from collections.abc import Sequence
from dataclasses import dataclass

from policies.faults import PoliciesError


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """One thing wrong with a policy.

    Attributes:
        file: name of the file; "(record)" for a policy rebuilt from a record.
        line: line of the file, counted from 1; 0 where there is none.
        key: dotted path of the key, list positions in brackets: `rules[2].when`; "" is the whole file.
        message: what is wrong.
        fix: what to write instead.
    """

    file: str
    line: int
    key: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{where}:{key} {self.message}{fix}"


class InvalidPolicyError(PoliciesError):
    """The policy is refused; `faults` names every place that is wrong, in the order of the file."""

    def __init__(self, faults: Sequence[PolicyFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


KeyPath = tuple[str | int, ...]


def dotted(path: KeyPath) -> str:
    """Return a key path as people write it.

    >>> dotted(("rules", 2, "when"))
    'rules[2].when'
    """
    text = ""
    for segment in path:
        text += f"[{segment}]" if isinstance(segment, int) else f".{segment}" if text else segment
    return text
