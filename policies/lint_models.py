"""Lints of models and budgets: what is asked of nobody, billed to nobody, too late, or open to a player's words."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from policies.diversity import diversity_warning
from policies.findings import Finding
from policies.model_names import is_in_clear
from policies.models import Budgets, ModelUse, dollars
from policies.policy import MemberPolicy, Policy
from policies.verdicts import DECISION_TYPES, STRICTNESS, DecisionType, Member

SYNC_MS: Final = 8_000
"""How long callers wait unless they or COUNCIL_DEFAULT_DEADLINE_MS say otherwise (reliability.md, rule e), milliseconds."""


def lint_models(policy: Policy) -> Iterator[Finding]:
    """Yield what is found about models, budgets and players' text."""
    yield from _diversity(policy)
    yield from _idle(policy)
    for member, use in _uses(policy).items():
        yield from _clear_key(member, use)
    yield from _prices(policy)
    yield from _time(policy)
    yield from _text(policy)
    if _uses(policy):
        yield from _budgets(policy)
        yield from _held(policy)


def _uses(policy: Policy) -> dict[Member, ModelUse]:
    return {member: seat.model for member, seat in policy.members.items() if seat.model is not None}


def _diversity(policy: Policy) -> Iterator[Finding]:
    told = diversity_warning(policy)
    if told is not None:
        yield Finding(
            "warning",
            "one_model",
            "models.default",
            told,
            "give some members another model, best of another maker: members.lore.model, or COUNCIL_MODELS=...,lore=...",
        )


def _idle(policy: Policy) -> Iterator[Finding]:
    """Yield models that stand in the file and that nobody asks."""
    section, members = _section(policy, "models"), _section(policy, "members")
    for member, written in members.items():
        if written.get("judge") == "rules" and written.get("model") is not None:
            yield Finding(
                "warning",
                "idle_model",
                f"members.{member}.model",
                "is never asked: this member judges by rules",
                "judge: model, or take the model out",
            )
    takers = [name for name, each in members.items() if each.get("judge") == "model" and each.get("model") is None]
    if section.get("default") is not None and not takers:
        yield Finding(
            "warning",
            "idle_default",
            "models.default",
            "no member asks it: each judges by rules or names a model of its own",
            "judge: model for the members that are to ask it",
        )


def _section(policy: Policy, name: str) -> Mapping[str, Any]:
    section = policy.document.get(name)
    return section if isinstance(section, Mapping) else {}


def _clear_key(member: Member, use: ModelUse) -> Iterator[Finding]:
    if use.endpoint.key is not None and is_in_clear(use.endpoint.base_url):
        yield Finding(
            "warning",
            "key_in_clear",
            f"models.endpoints.{use.endpoint.name}.base_url",
            f"{member} sends the key {use.endpoint.key} and the case without TLS to another machine",
            "write https, or a tunnel that ends on this machine",
        )


def _prices(policy: Policy) -> Iterator[Finding]:
    unpriced = {use.name: use for use in _uses(policy).values() if use.price is None}
    for name, use in unpriced.items():
        is_own = use.endpoint.key is None  # a server that wants no key is most often one's own, and bills nobody
        yield Finding(
            "hint" if is_own else "warning",
            "no_price",
            "models.prices",
            f"{name!r} has no price: its calls count as 0 dollars, so no budget ever stops them",
            f'write its price, or 0 where nobody is billed: "{name}": {{input: 0, output: 0}}',
        )


def _time(policy: Policy) -> Iterator[Finding]:
    for member, use in _uses(policy).items():
        if use.timeout_ms > SYNC_MS:
            yield Finding(
                "warning",
                "outlasts_deadline",
                f"members.{member}.timeout_s",
                f"a round may take longer than the {SYNC_MS // 1000} seconds that callers wait by default: they are answered "
                "202 and get the verdict later",
                f"write at most {SYNC_MS // 1000}, or raise COUNCIL_DEFAULT_DEADLINE_MS",
            )
    slowest = max((use.timeout_ms for use in _uses(policy).values()), default=0)
    if policy.models.rebuttal_margin is not None and slowest <= SYNC_MS < 2 * slowest:
        yield Finding(
            "hint",
            "outlasts_deadline",
            "models.rebuttal_margin",
            f"two rounds may take longer than the {SYNC_MS // 1000} seconds that callers wait by default",
            f"timeout_s of at most {SYNC_MS // 2000} lets both end in time",
        )


def _text(policy: Policy) -> Iterator[Finding]:
    """Yield ways in which words of a player could win more than the rules allow (reliability.md, injection)."""
    readers = {member: seat for member, seat in policy.members.items() if _reads(policy, member, seat)}
    least = policy.models.twin_from_impact
    for member, seat in readers.items():
        if seat.models_may != "relax" or least == 0:
            continue
        which = "no case" if least is None else f"no case below impact {least}"
        yield Finding(
            "warning" if least is None else "hint",
            "text_may_relax",
            f"members.{member}.reads_player_text",
            f"its model may be milder than the rules, reads what players write, and in {which} is asked again without it",
            "models.twin_from_impact: 0, or models_may: tighten, or reads_player_text: false",
        )
    if len(readers) > 1:
        yield Finding(
            "hint",
            "text_reaches_many",
            "members",
            f"text that players write is shown to the models of {', '.join(readers)}: one text can talk to all of them",
            "reads_player_text: false wherever the text is not what the member judges",
        )


def _reads(policy: Policy, member: Member, seat: MemberPolicy) -> bool:
    if seat.model is not None:
        return seat.model.reads_player_text
    # No model yet; COUNCIL_MODELS may give it one, and what holds then is told now.
    written = _section(policy, "members").get(member, {})
    return seat.judge == "model" and written.get("reads_player_text") is True


def _budgets(policy: Policy) -> Iterator[Finding]:
    budgets = policy.models.budgets
    limits = _limits(budgets)
    priced = [use for use in _uses(policy).values() if use.price is not None and use.price.output]
    if not limits and priced:
        yield Finding(
            "warning",
            "no_budget",
            "models.budgets",
            "nothing limits what models may cost",
            "write at least month_usd, and day_usd against a bad day",
        )
    for (small, lower), (large, upper) in pairwise(limits):
        if lower > upper:
            yield Finding(
                "warning",
                "budget_order",
                f"models.budgets.{small}",
                f"is above {large}: the {dollars(upper)} dollars of {large} are spent first, so it never stops anything",
                f"write at most {dollars(upper)}",
            )
    yield from _review_budget(budgets, priced)


def _limits(budgets: Budgets) -> list[tuple[str, int]]:
    every = (
        ("review_usd", budgets.review),
        ("realm_day_usd", budgets.realm_day),
        ("day_usd", budgets.day),
        ("month_usd", budgets.month),
    )
    return [(name, limit) for name, limit in every if limit is not None]


def _review_budget(budgets: Budgets, priced: list[ModelUse]) -> Iterator[Finding]:
    """Yield a budget that one round's longest replies would break: the last members asked would find it spent."""
    longest = sum(use.max_output_tokens * use.price.output for use in priced if use.price is not None)
    if budgets.review is not None and longest > budgets.review:
        yield Finding(
            "warning",
            "budget_below_a_round",
            "models.budgets.review_usd",
            f"one round's replies alone may cost {dollars(longest)} dollars (max_output_tokens times output price, summed): "
            "members asked last find the budget spent",
            "raise it, lower max_output_tokens, or choose a cheaper model",
        )


def _held(policy: Policy) -> Iterator[Finding]:
    """Yield `when_spent: quarantine` where the members with models are too few for their silence to hold a case."""
    if policy.models.budgets.when_spent != "quarantine" or not _limits(policy.models.budgets):
        return
    passing = [kind for kind in DECISION_TYPES if not _is_held(policy, kind)]
    if passing:
        silent = ", ".join(_uses(policy))
        yield Finding(
            "warning",
            "spent_budget_passes",
            "models.budgets.when_spent",
            f"says quarantine, but with {silent} silent the others still decide: {', '.join(passing)}",
            "list one of them under required, raise merge.quorum, or write when_spent: rules",
        )


def _is_held(policy: Policy, kind: DecisionType) -> bool:
    """Tell whether the silence of all members with models is want of votes, or carries quarantine by itself."""
    silent, weights = _uses(policy), policy.weights[kind]
    absent = sum((weights[member] for member in silent), Fraction(0)) / sum(weights.values())
    counts_as_quarantine = STRICTNESS[policy.absent_counts_as] == STRICTNESS["quarantine"]
    return (
        1 - absent < policy.quorum
        or any(member in silent for member in policy.required[kind])
        or (counts_as_quarantine and policy.merge_rule == "quota" and absent >= policy.quotas["quarantine"])
    )
