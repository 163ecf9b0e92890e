"""One call to a model: what is sent, what comes back, and how it fails. The words that the rooms beside this one share."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final, Literal, NamedTuple, TypedDict

from agents.asking import Usage, Variant
from policies.verdicts import Abstention, Member

Caller = Literal[Member, "story_writer", "story_critic"]
"""Who asks a model: a member of the council, or one of the two who write a chapter's prose."""
VOTE: Final = "vote"
"""What the form of a member's reply is called at an endpoint."""
Form = Literal["json_schema", "function_calling", "prompt"]
"""How the reply's form is asked for: a rung of the ladder."""


class Message(TypedDict):
    """One message of a chat, as the OpenAI protocol has it."""

    role: Literal["system", "user"]
    content: str


class CallKey(NamedTuple):
    """What a call is known by: the key of its recording."""

    member: Caller
    prompt_hash: str
    model: str
    """Endpoint and model, as the policy names them."""
    parameters: str
    """Canonical JSON of temperature, most output tokens and form."""
    request_hash: str
    """SHA-256 (hex) of the messages' canonical JSON."""
    round: int
    variant: Variant
    repeat: int
    """Index of a repeated run of the same request."""
    attempt: int
    """0 for the first call of a round, 1 for its first retry."""


class Call(NamedTuple):
    """One request to a model."""

    key: CallKey
    messages: tuple[Message, ...]
    model: str
    """The model's name at its endpoint."""
    temperature: float | None
    max_output_tokens: int
    form: Form
    schema: Mapping[str, Any]
    """JSON Schema of the reply."""
    tool: str = VOTE
    """What the schema is called, and the one tool that function calling offers."""


class Completion(NamedTuple):
    """A reply as it came."""

    text: str
    usage: Usage | None
    """None where the endpoint left it out."""


class CallError(Exception):
    """a call to a model brought no reply that can be read

    Args:
        kind: how the member's abstention is recorded.
        because: one sentence for people; never holds a key, a prompt or a player's text.
        is_retryable: whether the same call may succeed.
        is_endpoint_fault: whether the breaker counts it: the endpoint is down, slow or refuses work.
        retry_after_s: how long the endpoint asked to be left alone, seconds.
        raw: what came, where something did; at most `MAX_RAW` bytes.
        form_refused: whether the endpoint does not know this form of structured output: the next rung is tried.
        usage: tokens that were spent all the same.
        is_truncated: whether the model ran out of tokens: the retry asks for shorter reasons (reliability.md, L11).
    """

    def __init__(
        self,
        kind: Abstention,
        because: str,
        *,
        is_retryable: bool = False,
        is_endpoint_fault: bool = False,
        retry_after_s: float | None = None,
        raw: str | None = None,
        form_refused: bool = False,
        usage: Usage | None = None,
        is_truncated: bool = False,
    ) -> None:
        super().__init__(because)
        self.kind = kind
        self.because = because
        self.is_retryable = is_retryable
        self.is_endpoint_fault = is_endpoint_fault
        self.retry_after_s = retry_after_s
        self.raw = raw
        self.form_refused = form_refused
        self.usage = usage
        self.is_truncated = is_truncated


current_call: Final[ContextVar[CallKey | None]] = ContextVar("current_call", default=None)
"""The key of the call under way, for what stands between client and socket (cassettes)."""
current_headers: Final[ContextVar[Mapping[str, str]]] = ContextVar("current_headers", default={})  # noqa: B039 - never mutated
"""Headers to send with every call under way, such as `traceparent`."""
