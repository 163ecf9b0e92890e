"""A policy: everything about a decision that designers may change, validated and immutable.

The YAML form is read by `policies.loading`; `docs/policy.md` explains every key (council.md, policy as data).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from policies.calibration import Steps
from policies.models import ModelsPolicy, ModelUse
from policies.rules import RuleSet
from policies.verdicts import DecisionType, Member, RealmMode, Verdict

MergeRule = Literal["quota", "plurality", "median", "strictest"]


@dataclass(frozen=True, slots=True)
class MemberPolicy:
    """How one member takes part.

    Attributes:
        weight: weight in the merge, above 0.
        use_confidence: whether a vote's confidence scales its mass (`confidence: use`).
        judge: "rules", or "model" where a model is configured for it.
        models_may: whether a model's vote may be milder than the member's rule vote.
        thresholds: the rule judge's numbers, in the units of the signals.
        model: the model it asks; None where its rules vote.
        calibration: what its confidence is worth, where it weighs; None: what it claims.
    """

    weight: Fraction
    use_confidence: bool
    judge: Literal["rules", "model"]
    models_may: Literal["tighten", "relax"]
    thresholds: Mapping[str, int]
    model: ModelUse | None = None
    calibration: Steps | None = None


@dataclass(frozen=True, slots=True)
class RealmPolicy:
    """How the council acts in one realm.

    Attributes:
        mode: off, log_only, review_only or enforce (register row S0-107).
        impact_threshold: world-impact score, 0 to 100, from which a case is put to the council.
    """

    mode: RealmMode
    impact_threshold: int


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One validated policy; compared and hashed by identity, so that derived tables can be cached per policy.

    Attributes:
        policy_id: the policy's name.
        version: counts up with every change that designers publish.
        content_hash: SHA-256 of the canonical JSON of `document`.
        document: the policy as plain JSON, every default written out: what the record keeps.
        members: per member, how it takes part.
        weights: per decision type, the weight of every member (overrides applied).
        quotas: per verdict stricter than approve, the share that carries it.
        merge_rule: name of the merge rule; "quota" unless evals compare others.
        required: per decision type, members without whose vote there is no verdict but quarantine.
        seating: one rule per member, named by it: the condition over triage signals under which it is convened.
        invocation: conditions over triage signals, each one reason to convene the council (000 §6.2).
        impact_weights: weights of the world-impact score's terms; they sum to 100.
        impact_floors: least impact score per reason (domain.md C5).
        rules: vetoes and floors.
        models: what holds for every member with a model.
        realms: per realm; the key "*" stands for every realm not named.
        shadows: policies merged beside this one on every decision, for trial.
    """

    policy_id: str
    version: int
    content_hash: str
    document: Mapping[str, object]
    members: Mapping[Member, MemberPolicy]
    weights: Mapping[DecisionType, Mapping[Member, Fraction]]
    quotas: Mapping[Verdict, Fraction]
    quorum: Fraction
    merge_rule: MergeRule
    absent_counts_as: Verdict
    confidence_floor: Fraction
    required: Mapping[DecisionType, tuple[Member, ...]]
    seating: RuleSet
    invocation: RuleSet
    impact_weights: Mapping[str, int]
    impact_floors: Mapping[str, int]
    rules: RuleSet
    models: ModelsPolicy
    realms: Mapping[str, RealmPolicy]
    shadows: tuple["Policy", ...] = field(default=())

    def realm(self, realm_id: str) -> RealmPolicy | None:
        """Return how the council acts in a realm, or None where the policy does not know it."""
        return self.realms.get(realm_id) or self.realms.get("*")
