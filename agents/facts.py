"""What a member's model is told as facts: numbers, closed words and identifiers, chosen by the member's mandate.

Free text never stands here (`agents.sim_text`, `agents.player_text`); identifiers do, shortened, because they are chosen by
senders too. People are numbered, not named: a model must know that two acts are one account's, not whose.
"""

from typing import Final

from agents.asking import Question
from agents.conditions import actions_on
from agents.fact_sections import SECTIONS, Facts, numbered_accounts
from agents.visible import cut, one_line, shown_id
from policies.contracts.effects import FactionDelta, MeterDelta
from policies.evidence import Signal, values_of
from policies.numbers import scaled
from policies.signals.catalogue import CATALOGUE
from policies.verdicts import Member
from policies.votes import AMOUNT_SCALE, Vote, modification_to_wire, wire_number
from world.case import Case

MAX_RULE_REASON: Final = 240
"""Longest sentence of a rule judge that is shown, characters."""
MOST_REASONS: Final = 8

ABOUT_TEXT: Final = frozenset(["prose_length", "injection_marks"])
"""Signals that measure what players wrote. They are in the record only: a question asked without the players' texts must
not tell of them, and a warning that is wrong one time in ten must not sway a judge."""


def names_shown(member: Member) -> tuple[str, ...]:
    """Return the signals that a member is shown and may cite: its own and triage's, in the catalogue's order."""
    return tuple(
        [spec.name for spec in CATALOGUE.values() if spec.owner in (member, "triage") and spec.name not in ABOUT_TEXT]
    )


def facts_for(question: Question) -> Facts:
    """Return the facts of a question: plain JSON whose keys are all this file's own words."""
    case, member = question.case, question.slot.member
    request = case.request
    accounts = numbered_accounts(case)
    facts: Facts = {
        "decision_type": request.decision_type,
        "realm": shown_id(request.realm_id),
        "tick": request.world_snapshot.tick_number,
        "round": question.slot.round,
        "effects": [_effect(case, at, member) for at in range(len(case.effects))],
        "signals": _signals(question),
        "rules_say": _rule_vote(question.rule_vote, case),
        "rules": list(question.rules),
    }
    if request.proposed_change.actor is not None:
        facts["actor"] = _actor(case, accounts)
    for section in SECTIONS[member]:
        section(facts, case, accounts)
    if question.others:
        facts["signals_cited_by_others"] = _cited(question)
    return facts


def _effect(case: Case, at: int, member: Member) -> Facts:
    effect = case.effects[at]
    shown: Facts = {"effect": case.origins[at], "op": effect.op}
    actions = actions_on(case, at)
    # Only the lore judge is shown what locks say, so only it can set something to that.
    shown["may"] = [action for action in actions if action != "set" or member == "lore"]
    if isinstance(effect, FactionDelta):
        shown |= {"faction": shown_id(effect.faction_id), "amount": _amount(effect)}
    elif isinstance(effect, MeterDelta):
        shown |= {"meter": shown_id(effect.meter), "amount": _amount(effect)}
    elif effect.op == "territory_transfer":
        source = None if effect.from_ is None else shown_id(effect.from_)
        shown |= {"territory": shown_id(effect.territory_id), "from": source, "to": shown_id(effect.to)}
    elif effect.op == "trigger_fire":
        shown["trigger"] = shown_id(effect.trigger_id)
    elif effect.op == "canon_assert":
        shown |= {"subject": shown_id(effect.subject), "predicate": shown_id(effect.predicate)}
    return shown


def _amount(effect: FactionDelta | MeterDelta) -> int | float:
    scale = AMOUNT_SCALE[effect.op]
    return wire_number(scaled(effect.amount, scale), scale)


def _actor(case: Case, accounts: dict[str, int]) -> Facts:
    actor = case.request.proposed_change.actor
    assert actor is not None
    shown: Facts = {"sovereign": actor.sovereign}
    if actor.user_id is not None:
        shown["account"] = accounts[actor.user_id]
    if actor.faction_id is not None:
        shown["faction"] = shown_id(actor.faction_id)
    return shown


def _signals(question: Question) -> dict[str, int]:
    own = names_shown(question.slot.member)
    values = values_of(question.evidence)
    return {name: values[name] for name in own if name in values}


def _cited(question: Question) -> Facts:
    """Return the signals that the others cite and this member was not shown, with their meaning."""
    own = {*names_shown(question.slot.member), *ABOUT_TEXT}
    cited = {name for vote in question.others for reason in vote.reasons for name in reason.evidence} - own
    found: list[Signal] = [signal for signal in question.evidence if signal.name in cited]
    return {
        signal.name: {
            "value": signal.value,
            "unit": CATALOGUE[signal.name].unit,
            "means": CATALOGUE[signal.name].meaning,
        }
        for signal in found
        if signal.name in CATALOGUE
    }


def _rule_vote(vote: Vote, case: Case) -> Facts:
    ops = case.ops
    return {
        "verdict": vote.verdict,
        "reasons": [
            {"text": cut(one_line(reason.text), MAX_RULE_REASON).text, "evidence": list(reason.evidence)}
            for reason in vote.reasons[:MOST_REASONS]
        ],
        "modifications": [_condition(modification_to_wire(item, ops[item.effect])) for item in vote.modifications],
    }


def _condition(wire: Facts) -> Facts:
    """Leave out why: the reasons say it, once."""
    return {name: value for name, value in wire.items() if name != "because"}
