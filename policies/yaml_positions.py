"""YAML as plain values with the line of every key: a small, strict subset of YAML 1.2, for policies and for suites.

Read from the parser's events, so that nothing is constructed, expanded or guessed: `off` is a word and not a boolean;
anchors, aliases, tags, repeated keys and second documents are faults. In policies so are floats, because 0.1 is not a tenth.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import yaml

from policies.policy_faults import KeyPath, PolicyFault, dotted

MAX_CHARACTERS: Final = 262_144
"""Longest policy file accepted; the shipped one is a fiftieth of it."""
MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 8
"""Deepest nesting accepted; the schema needs 4."""
MAX_FAULTS: Final = 100

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*(?:_[0-9]{3})*)")
_NUMERIC: Final = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_FLOAT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")
_CONSTANTS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")


class Sheet(NamedTuple):
    """A YAML file as values, with the lines that its keys stand on."""

    value: Any
    lines: Mapping[KeyPath, int]
    faults: tuple[PolicyFault, ...]
    """What is wrong with the file as YAML; `value` then holds what could be read."""


class Dialect(NamedTuple):
    """What a kind of file may hold."""

    noun: str
    """One such file, in words: "policy"."""
    plural: str
    max_characters: int
    max_nodes: int
    max_depth: int
    start: str
    """What to do about an empty file."""
    reads_floats: bool = False
    """Whether 12.5 is a number; else it is a fault, because it is not exact."""


POLICY: Final = Dialect(
    "policy", "policies", MAX_CHARACTERS, MAX_NODES, MAX_DEPTH, "start from the shipped policy: council policy show"
)


def read_yaml(text: str, file: str, dialect: Dialect = POLICY) -> Sheet:
    """Read one YAML document.

    Args:
        text: the file's text.
        file: its name, for faults.
        dialect: what it may hold.
    """
    early = _unreadable(text, file, dialect)
    if early is not None:
        return Sheet(None, {}, (early,))
    builder = _Builder(file, dialect)
    try:
        value = builder.read(iter(yaml.parse(text, Loader=_LOADER)))
    except yaml.MarkedYAMLError as error:
        builder.faults.append(_syntax_fault(error, text, file))
        value = None
    except yaml.YAMLError as error:
        builder.faults.append(PolicyFault(file, 0, "", f"not valid YAML: {str(error).splitlines()[0]}"))
        value = None
    except _TooMuchError as error:
        builder.faults.append(PolicyFault(file, error.line, "", str(error), f"a {dialect.noun} needs far less"))
        value = None
    return Sheet(value, builder.lines, tuple(builder.faults[:MAX_FAULTS]))


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """Return the line of a key, or of the nearest key that holds it; 0 where there is none."""
    while path not in lines:
        if not path:
            return 0
        path = path[:-1]
    return lines[path]


class _TooMuchError(Exception):
    def __init__(self, message: str, line: int) -> None:
        self.line = line
        super().__init__(message)


class _Builder:
    """Builds plain values from the events of one file."""

    def __init__(self, file: str, dialect: Dialect) -> None:
        self.file = file
        self._dialect = dialect
        self.lines: dict[KeyPath, int] = {}
        self.faults: list[PolicyFault] = []
        self._nodes = 0

    def read(self, events: Iterator[Any]) -> Any:
        documents = 0
        value: Any = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fault(event, (), "holds a second YAML document", f"write one {self._dialect.noun} per file")
                    return value
            elif isinstance(event, yaml.NodeEvent):
                value = self._node(event, events, ())
        return value

    def _node(self, event: Any, events: Iterator[Any], path: KeyPath) -> Any:
        self._count(event, path)
        self.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.AliasEvent):
            self._fault(event, path, f"aliases are not used in {self._dialect.plural}", "write the value out")
            return None
        if getattr(event, "anchor", None) is not None:
            self._fault(event, path, f"anchors are not used in {self._dialect.plural}", "remove the &name")
        if isinstance(event, yaml.MappingStartEvent):
            self._refuse_tag(event, path)
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            self._refuse_tag(event, path)
            return self._sequence(events, path)
        return self._scalar(event, path)

    def _mapping(self, events: Iterator[Any], path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._fault(event, path, "a key must be a word", "write key: value")
                self._node(event, events, (*path, "?"))
                self._node(next(events), events, (*path, "?"))
                continue
            key = event.value
            at = (*path, key)
            is_repeated = key in found
            if is_repeated:
                first = self.lines[at]
                self._fault(event, at, f"the key stands here twice, first on line {first}", "keep one of them")
            else:
                self.lines[at] = _line(event)
            value = self._node(next(events), events, at)
            if not is_repeated:
                found[key] = value
        return found

    def _sequence(self, events: Iterator[Any], path: KeyPath) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            found.append(self._node(event, events, (*path, len(found))))
        return found

    def _scalar(self, event: Any, path: KeyPath) -> Any:
        text: str = event.value
        self._refuse_tag(event, path)
        if event.style:  # quoted or a block: text, whatever it looks like
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            return self._integer(event, text, path)
        if _NUMERIC.fullmatch(text):
            if self._dialect.reads_floats:
                return self._float(event, text, path)
            self._fault(event, path, "not an exact number", f'floats are not exact: write "{text}" or a fraction "1/3"')
            return None
        return text

    def _integer(self, event: Any, text: str, path: KeyPath) -> int | None:
        digits = text.replace("_", "")
        if len(digits) > 16 or abs(int(digits)) >= 2**53:
            self._fault(event, path, "a whole number beyond 2^53", "write a smaller one")
            return None
        return int(digits)

    def _float(self, event: Any, text: str, path: KeyPath) -> float | None:
        number = float(text) if _FLOAT.fullmatch(text) else math.inf
        if not math.isfinite(number):
            self._fault(
                event, path, "not a number that JSON knows", "write 0.5 or 12.5, or quote it where text is meant"
            )
            return None
        return number

    def _refuse_tag(self, event: Any, path: KeyPath) -> None:
        if event.tag is not None:
            self._fault(
                event,
                path,
                f"tags are not used in {self._dialect.plural}",
                f"remove {event.tag.replace('tag:yaml.org,2002:', '!!')!r}",
            )

    def _count(self, event: Any, path: KeyPath) -> None:
        self._nodes += 1
        if self._nodes > self._dialect.max_nodes:
            raise _TooMuchError(f"holds more than {self._dialect.max_nodes} values", _line(event))
        if len(path) > self._dialect.max_depth:
            raise _TooMuchError(f"nested deeper than {self._dialect.max_depth} levels", _line(event))

    def _fault(self, event: Any, path: KeyPath, message: str, fix: str) -> None:
        self.faults.append(PolicyFault(self.file, _line(event), dotted(path), message, fix))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _unreadable(text: str, file: str, dialect: Dialect) -> PolicyFault | None:
    if len(text) > dialect.max_characters:
        fix = f"a {dialect.noun} needs far less"
        return PolicyFault(file, 0, "", f"longer than {dialect.max_characters} characters", fix)
    if not text.strip():
        return PolicyFault(file, 0, "", "the file is empty", dialect.start)
    control = _CONTROL.search(text)
    if control is not None:
        line = text.count("\n", 0, control.start()) + 1
        return PolicyFault(file, line, "", f"holds the control character U+{ord(control[0]):04X}", "remove it")
    return None


def _syntax_fault(error: yaml.MarkedYAMLError, text: str, file: str) -> PolicyFault:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    problem = error.problem or error.context or "unreadable"
    written = text.splitlines()[line - 1 : line]
    if written and "\t" in written[0]:
        problem, fix = "a tab stands where YAML wants spaces", "indent with spaces"
    else:
        fix = "check the indentation, the colons and the quotes"
    return PolicyFault(file, line, "", f"not valid YAML: {problem}", fix)
