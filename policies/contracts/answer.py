"""The answer of the council (000 §7.2; register rows S0-59 to S0-61) and the parts it shows beside the verdict."""

from typing import Annotated

from pydantic import Field

from policies.contracts.base import Wire
from policies.contracts.effects import RequiredModification
from policies.verdicts import Abstention, JudgeKind, Member, Path, RuleMode, RuleOutcome, Verdict


class ReasonShown(Wire):
    """One reason of a member, with the evidence it cites."""

    text: str
    evidence: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Names of signals (see `council policy signals`)."""


class ClaimShown(Wire):
    """A veto that a member's model claims."""

    rule: str
    evidence: Annotated[tuple[str, ...], Field(strict=False)] = ()
    is_verified: bool
    """Whether the rule's own check fired; an unverified claim is no more than a part of the vote."""


class VoteShown(Wire):
    """One member's vote as it counted, or its abstention."""

    member: Member
    verdict: Verdict | None
    """None where the member abstained."""
    confidence: Annotated[int, Field(ge=0, le=1000)]
    """Permille; recorded and shown, and weighed only where the policy says `confidence: use`."""
    weight: str
    """Weight in the merge, an exact fraction."""
    source: JudgeKind
    abstained: Abstention | None = None
    reasons: Annotated[tuple[ReasonShown, ...], Field(strict=False)] = ()
    modifications: Annotated[tuple[RequiredModification, ...], Field(strict=False)] = ()
    """Of a member whose model failed: what its rules require, which silence does not lift."""
    claims: Annotated[tuple[ClaimShown, ...], Field(strict=False)] = ()
    degraded: Abstention | None = None
    """Why the rule vote stands in for the member's model."""


class VetoShown(Wire):
    """One rule that fired."""

    rule: str
    outcome: RuleOutcome
    mode: RuleMode
    because: str
    evidence: Annotated[tuple[str, ...], Field(strict=False)] = ()


class PolicyRef(Wire):
    """The policy that decided: its id, version and content hash."""

    id: str
    version: int
    hash: str


class RecordRef(Wire):
    """Where the decision stands in its realm's hash chain."""

    position: int
    """1 for the first decision of a realm."""
    hash: str


class Cost(Wire):
    """What the decision cost in model calls."""

    model_calls: int = 0
    tokens: int = 0
    usd: str = "0"
    """Dollars, a decimal string."""
    unpriced_calls: int = 0
    """Calls to models that the policy has no price for: `usd` leaves them out."""
    is_estimated: bool = False
    """Whether an endpoint left its token counts out, so that they are estimates."""


class Answer(Wire):
    """The verdict and why; `world` applies it, people read it."""

    final_verdict: Verdict
    confidence: Annotated[float, Field(ge=0, le=1)]
    """Rounded to four decimals; the exact fraction is in the record."""
    reasons: Annotated[tuple[str, ...], Field(strict=False)]
    required_modifications: Annotated[tuple[RequiredModification, ...], Field(strict=False)]
    audit_tags: Annotated[tuple[str, ...], Field(strict=False)]
    decision_id: str
    path: Path
    votes: Annotated[tuple[VoteShown, ...], Field(strict=False)]
    vetoes: Annotated[tuple[VetoShown, ...], Field(strict=False)]
    policy: PolicyRef
    record: RecordRef
    cost: Cost
    elapsed_ms: Annotated[int, Field(ge=0)]
