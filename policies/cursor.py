"""A place in a policy or a suite: its value, its key path, and the readers that complain about it by name and line."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple, TypeVar

from policies.faults import did_you_mean
from policies.numbers import exact
from policies.policy_faults import InvalidPolicyError, KeyPath, PolicyFault, dotted
from policies.yaml_positions import line_of

T = TypeVar("T", bound=str)
REQUIRED: Final = object()
"""Stands where a key has no default."""


class Complaints:
    """Collects what is wrong with one document; one complaint per place is enough.

    Args:
        file: name of the file.
        lines: line per key path; empty for a document that never was a file.
        faults: what was already wrong with it as YAML.
        is_recorded: whether it comes from a record, which may name signals that no longer exist.
        guide: the document that explains every key.
    """

    def __init__(
        self,
        file: str,
        lines: Mapping[KeyPath, int],
        faults: Sequence[PolicyFault] = (),
        *,
        is_recorded: bool = False,
        guide: str = "docs/policy.md",
    ) -> None:
        self.file = file
        self.is_recorded = is_recorded
        self.guide = guide
        self._lines = lines
        self._faults = list(faults)
        self._keys = {fault.key for fault in faults}

    def add(self, path: KeyPath, message: str, fix: str = "") -> None:
        key = dotted(path)
        if key not in self._keys:
            self._keys.add(key)
            self._faults.append(PolicyFault(self.file, line_of(self._lines, path), key, message, fix))

    @property
    def faults(self) -> tuple[PolicyFault, ...]:
        """What was found wrong so far, in the order of finding."""
        return tuple(self._faults)

    def include(self, faults: Sequence[PolicyFault]) -> None:
        """Take over the faults of another file."""
        self._faults += faults

    def finish(self) -> None:
        """Raise every fault found.

        Raises:
            InvalidPolicyError: where there is any.
        """
        if self._faults:
            raise InvalidPolicyError(sorted(self._faults, key=lambda fault: (fault.file != self.file, fault.line)))


class Place(NamedTuple):
    """A value of the document. Every reader returns a usable value, and complains where the written one is not."""

    value: Any
    path: KeyPath
    complaints: Complaints

    def fault(self, message: str, fix: str = "") -> None:
        self.complaints.add(self.path, message, fix)

    def at(self, key: str | int, value: Any) -> "Place":
        """Return the place of a part."""
        return Place(value, (*self.path, key), self.complaints)

    def fields(self, defaults: Mapping[str, Any]) -> dict[str, "Place"]:
        """Read a mapping of known keys; those left out stand at their default, or are missed if REQUIRED.

        What is no mapping is one fault, and has no fields at all.
        """
        if not isinstance(self.value, Mapping):
            self.entries()
            return {}
        given = self.entries(list(defaults))
        for key, default in defaults.items():
            if key not in given:
                if default is REQUIRED:
                    self.at(key, None).fault("is missing", f"write it out; {self.complaints.guide} explains every key")
                given[key] = self.at(key, None if default is REQUIRED else default)
        return given

    def entries(self, known: Sequence[str] | None = None) -> dict[str, "Place"]:
        """Read a mapping; keys that are not known are faults and left out."""
        if not isinstance(self.value, Mapping):
            self.fault("must be a mapping", "write key: value lines below it, or {} for none")
            return {}
        found = {}
        for key, value in self.value.items():
            place = self.at(key, value)
            if known is None or key in known:
                found[key] = place
            else:
                place.fault("unknown key", did_you_mean(key, known))
        return found

    def items(self) -> list["Place"]:
        if not isinstance(self.value, list | tuple):
            self.fault("must be a list", "write one - item per line below it, or [] for none")
            return []
        return [self.at(index, value) for index, value in enumerate(self.value)]

    def text(self, longest: int) -> str:
        if not isinstance(self.value, str) or not self.value.strip():
            self.fault("must be text", "write a sentence in quotes")
            return ""
        if len(self.value) > longest:
            self.fault(f"longer than {longest} characters", "shorten it")
        return self.value

    def integer(self, low: int, high: int) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self.fault("must be a whole number", f"write a whole number from {low} to {high}")
        elif not low <= self.value <= high:
            self.fault(f"must lie between {low} and {high}", f"write a whole number from {low} to {high}")
        else:
            return self.value
        return low

    def choice(self, known: Sequence[T]) -> T:
        if not isinstance(self.value, str) or self.value not in known:
            self.fault("not one of the known values", did_you_mean(str(self.value), known))
            return known[0]
        return known[known.index(self.value)]

    def fraction(self, accepts: Callable[[Fraction], bool], range_: str) -> Fraction | None:
        """Read an exact number; None where it is not one or out of range."""
        try:
            number = exact(self.value)
        except ValueError as error:
            self.fault(str(error), 'write an integer, "0.4" or "2/5"')
            return None
        if not accepts(number):
            self.fault(f"must be {range_}")
            return None
        return number
