"""What a lint says about a policy that is valid, yet cannot work as it reads."""

from typing import Final, Literal, NamedTuple

Severity = Literal["error", "warning", "hint"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "hint")
"""error: it cannot do what it says. warning: it hardly means that. hint: worth knowing before publishing."""


class Finding(NamedTuple):
    """One thing that a lint found."""

    severity: Severity
    code: str
    """Stable name of the lint; docs/policy.md explains each."""
    place: str
    """Dotted path of the key at fault; rules are named by their id: `rules.canon_lock.when`."""
    message: str
    fix: str
