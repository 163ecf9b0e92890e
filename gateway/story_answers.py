"""What a model of stories did with one task, for those who count it."""

from typing import NamedTuple

from agents.asking import Usage
from story.writing.port import Role


class Answered(NamedTuple):
    """One task, all calls behind it together."""

    role: Role
    model: str
    outcome: str
    """text, or the word for why there is none: timeout, unreachable, unparsed, off_schema, refused or budget."""
    calls: int
    usage: Usage
    picodollars: int
    """Price of all calls; 0 where it is not known."""
    is_priced: bool
    seconds: float

    @property
    def unpriced_calls(self) -> int:
        """Calls that cost something, and the policy does not say what; none where nothing was read or written."""
        return 0 if self.is_priced or not (self.usage.input or self.usage.output) else self.calls
