"""What a member's model is asked, and what came back: raw, so that a record can be read again without any model.

A reply is an input of the decision, a vote is derived from it (`agents.parsing`): replay reads the recorded replies with the
same code and must find the same votes (council.md, replay and what-if; register rows S0-88, S0-101).
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from policies.evidence import Evidence
from policies.models import ModelsPolicy, ModelUse
from policies.verdicts import Abstention, Member
from policies.votes import Vote
from world.case import Case

Variant = Literal["full", "twin"]
"""`twin`: the same question without the texts that players wrote."""
MAX_RAW: Final = 65_536
"""Longest reply that is read, bytes; a longer one is no vote (reliability.md, L16)."""


class Slot(NamedTuple):
    """The place of one reply within a decision: a member answers at most once in each."""

    member: Member
    round: int
    """1, or 2 for the rebuttal."""
    variant: Variant = "full"

    @property
    def text(self) -> str:
        """The slot as a key: "lore/1/full"."""
        return f"{self.member}/{self.round}/{self.variant}"


class Question(NamedTuple):
    """What one member is asked in one round."""

    slot: Slot
    case: Case
    evidence: Evidence
    """Signals of triage and of every member."""
    rule_vote: Vote
    """The same member's vote by its rules: the floor that a model may only tighten."""
    rules: tuple[str, ...]
    """Ids of the policy's vetoes and floors: what a reply may claim."""
    use: ModelUse
    models: ModelsPolicy
    decision_id: str
    others: tuple[Vote, ...] = ()
    """In the rebuttal: what the other members' votes of the first round said, as data."""
    repeat: int = 0
    """Index of a repeated run of the same request (evals); keeps their recordings apart."""


class Usage(NamedTuple):
    """Tokens of all calls behind one reply."""

    input: int = 0
    cached: int = 0
    """The part of `input` that the provider's prompt cache served."""
    output: int = 0
    is_estimated: bool = False
    """Whether an endpoint left its usage out, so that it was estimated from the texts' lengths."""


class Attempt(NamedTuple):
    """One call to the model."""

    raw: str | None
    """Text of the reply; None where none came."""
    failed: Abstention | None
    """Why there is no vote in it; None where it was read into one."""
    because: str
    """The failure in a sentence; empty where there is none."""
    latency_ms: int


class Reply(NamedTuple):
    """Everything that came back for one question."""

    slot: Slot
    prompt: str
    """Name and version of the prompt, such as lore/1."""
    prompt_hash: str
    """SHA-256 (hex) of the prompt's static text."""
    model: str
    """Endpoint and model, as the policy names them."""
    parameters: Mapping[str, Any]
    """What was sent beside the messages: temperature, most output tokens, form of the structured output."""
    request_hash: str
    """SHA-256 (hex) of the messages."""
    attempts: tuple[Attempt, ...]
    """In order; the last one decides. Empty where no call was made."""
    failed: Abstention | None
    """Why the member has no vote; None where the last attempt was read into one."""
    because: str
    usage: Usage
    picodollars: int
    """Price of all calls; 0 where the price is not known."""
    is_priced: bool
    latency_ms: int
    """From the question to the reply, waiting included."""
    retry_after_s: int | None = None
    """When the endpoint may answer again, where it said so."""

    @property
    def unpriced_calls(self) -> int:
        """Calls that cost something, and the policy does not say what; none where nothing was read or written."""
        return 0 if self.is_priced or not (self.usage.input or self.usage.output) else len(self.attempts)

    @property
    def raw(self) -> str | None:
        """The text that decides; None where the last call brought none."""
        return self.attempts[-1].raw if self.attempts else None


def reply_to_wire(reply: Reply) -> dict[str, Any]:
    """Return a reply as it stands in records and in the journal: plain JSON."""
    wire: dict[str, Any] = {
        "member": reply.slot.member,
        "round": reply.slot.round,
        "variant": reply.slot.variant,
        "prompt": reply.prompt,
        "prompt_hash": reply.prompt_hash,
        "model": reply.model,
        "parameters": dict(reply.parameters),
        "request_hash": reply.request_hash,
        "attempts": [
            {"raw": each.raw, "failed": each.failed, "because": each.because, "latency_ms": each.latency_ms}
            for each in reply.attempts
        ],
        "failed": reply.failed,
        "because": reply.because,
        "usage": {
            "input": reply.usage.input,
            "cached": reply.usage.cached,
            "output": reply.usage.output,
            "is_estimated": reply.usage.is_estimated,
        },
        "picodollars": reply.picodollars,
        "is_priced": reply.is_priced,
        "latency_ms": reply.latency_ms,
    }
    if reply.retry_after_s is not None:
        wire["retry_after_s"] = reply.retry_after_s
    return wire


def reply_from_wire(wire: Mapping[str, Any]) -> Reply:
    """Read a reply back: the inverse of `reply_to_wire`."""
    return Reply(
        slot=Slot(wire["member"], wire["round"], wire["variant"]),
        prompt=wire["prompt"],
        prompt_hash=wire["prompt_hash"],
        model=wire["model"],
        parameters=wire["parameters"],
        request_hash=wire["request_hash"],
        attempts=tuple(
            [Attempt(each["raw"], each["failed"], each["because"], each["latency_ms"]) for each in wire["attempts"]]
        ),
        failed=wire["failed"],
        because=wire["because"],
        usage=Usage(**wire["usage"]),
        picodollars=wire["picodollars"],
        is_priced=wire["is_priced"],
        latency_ms=wire["latency_ms"],
        retry_after_s=wire.get("retry_after_s"),
    )


def unanswered(slot: Slot, model: str, kind: Abstention, because: str) -> Reply:
    """Return the reply of a member that nobody could be asked for."""
    return Reply(slot, "", "", model, {}, "", (), kind, because, Usage(), 0, True, 0)
