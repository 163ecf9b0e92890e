"""What the writing of a chapter needs of a model: one text for one task, or why there is none.

`story` knows neither endpoints nor prices: `gateway.story_models` puts the council's own client, gate, retries and cassettes
behind this port.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

Role = Literal["story_writer", "story_critic"]


class ScribeTask(NamedTuple):
    """One thing that a model is asked to write."""

    role: Role
    prompt: str
    """Name and version of its prompt file, such as writer/1."""
    prompt_hash: str
    """SHA-256 (hex) of the static text and the reply's schema."""
    system: str
    user: str
    schema: Mapping[str, Any]
    """JSON Schema of the reply."""
    round: int
    """1 for the first text, 2 and 3 for its rewrites."""


class Completed(NamedTuple):
    """What a model wrote."""

    text: str
    picodollars: int = 0
    """Price of every call behind it; 0 where the price is not known."""


class ScribeError(Exception):
    """a model wrote nothing that can be read

    Args:
        kind: the council's word for it: timeout, unreachable, unparsed, off_schema, refused or budget.
        because: one sentence for people; holds no key, prompt or word of a model.
        picodollars: what was spent all the same.
    """

    def __init__(self, kind: str, because: str, picodollars: int = 0) -> None:
        super().__init__(because)
        self.kind = kind
        self.because = because
        self.picodollars = picodollars


class Scribe(Protocol):
    """Asks a model."""

    async def complete(self, task: ScribeTask) -> Completed:
        """Ask the model of the task's role.

        Raises:
            ScribeError: for every way in which it can fail.
        """
        ...
