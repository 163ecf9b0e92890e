"""Recorded histories with many kinds of votes, and policies to try on them: what the tests of backtests share."""

import copy
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st

from agents.asking import Reply, Slot
from council.review import deliberate
from evals.backtest import Anew, Judged, Rows, backtest
from evals.columns import Columns, columns_of
from evals.decisions import Decision
from evals.redeciding import redecide
from policies.contracts.reading import ReadRequest
from policies.loading import policy_from_document
from policies.policy import Policy
from policies.signals.catalogue import THRESHOLDS
from policies.verdicts import DECISION_TYPES, MEMBERS, VERDICTS, Member
from tests.unit.council.scripted import answered, model_policy
from tests.unit.evals.recorded import recorded, shipped
from world.case import open_case

Document = dict[str, Any]


def changed(policy: Policy, **keys: Any) -> Policy:
    """Return a policy with top-level keys of its document replaced."""
    return policy_from_document({**copy.deepcopy(dict(policy.document)), **keys})


def merging(policy: Policy, **keys: Any) -> Policy:
    """Return a policy with keys of its merge replaced."""
    merge: Any = policy.document["merge"]
    return changed(policy, merge={**merge, **keys})


@cache
def old_policies() -> tuple[Policy, ...]:
    """Return policies that decide: the shipped one, stern ones without vetoes, ones with models that tighten or relax."""
    rules: Any = shipped().document["rules"]
    floors = [rule for rule in rules if rule["outcome"] == "modify"]
    tightening = _tightening(model_policy(("governor", "lore", "risk")))
    return (
        shipped(),
        _stern(changed(shipped(), rules=[]), 1),
        _stern(changed(shipped(), rules=floors), 2),
        changed(tightening, rules=floors),
        _stern(changed(_tightening(model_policy(rebuttal_margin="1/4")), rules=[]), 3),
        changed(model_policy(), rules=floors),
    )


@cache
def history() -> tuple[Decision, ...]:
    """Return every example decided by each of the policies; models say what a fixed draw makes them say."""
    found: list[Decision] = []
    for number, policy in enumerate(old_policies()):
        random = Random(number)

        def said(read: ReadRequest, policy: Policy = policy, random: Random = random) -> Mapping[Slot, Reply]:
            return _said(policy, read, random)

        found += recorded(policy=policy, said=said)
    return tuple(found)


@cache
def policies_by_hash() -> Mapping[str, Policy]:
    return {policy.content_hash: policy for policy in old_policies()}


@cache
def history_columns() -> Columns:
    return columns_of(history(), {name: policy.document for name, policy in policies_by_hash().items()})


def backtested(new: Policy) -> Judged:
    """Backtest the whole history, what the merge cannot say judged anew in this process."""

    def anew(rows: Rows) -> Iterator[Anew]:
        for row in rows.tolist():
            decision = history()[row]
            yield Anew(*redecide(decision, policies_by_hash().get(decision.policy_hash), new))

    return backtest(history_columns(), policies_by_hash(), new, anew)


@st.composite
def new_policies(draw: st.DrawFn) -> Policy:
    """Draw one of the old policies with some of its keys changed: mostly numbers of the merge, now and then anything else."""
    document: Document = copy.deepcopy(dict(draw(st.sampled_from(old_policies())).document))
    for change in draw(st.lists(st.sampled_from(_CHANGES), min_size=1, max_size=3)):
        change(document, draw)
    return policy_from_document(document)


def _said(policy: Policy, read: ReadRequest, random: Random) -> Mapping[Slot, Reply]:
    realm = policy.realm(read.request.realm_id)
    assert realm is not None
    review = deliberate(open_case(read.request), policy, realm)
    replies: dict[Slot, Reply] = {}
    slots = [question.slot for member in review.asked for question in review.questions(member)]
    for slot in slots:
        replies[slot] = answered(slot, random.choice([*VERDICTS, *VERDICTS, "timeout"]))
    if slots and len(deliberate(review.case, policy, realm, replies).rounds) > 1:
        for slot in slots:
            again = Slot(slot.member, 2, slot.variant)
            replies[again] = answered(again, random.choice(VERDICTS))
    return replies


def _stern(policy: Policy, seed: int) -> Policy:
    """Return a policy whose members' thresholds are drawn at random, so that they vote in many ways."""
    random = Random(seed)
    given: Any = policy.document["members"]
    members: Document = copy.deepcopy(given)
    for member in MEMBERS:
        specs = THRESHOLDS[member]
        for name, spec in specs.items():
            members[member]["thresholds"][name] = random.choice(
                [spec.low, spec.default, (spec.low + spec.default) // 2]
            )
    return changed(policy, members=members)


def _tightening(policy: Policy) -> Policy:
    given: Any = policy.document["members"]
    members: Document = copy.deepcopy(given)
    for member in MEMBERS:
        members[member]["models_may"] = "tighten"
    return changed(policy, members=members)


_WEIGHTS = st.sampled_from(["1", "2", "1/2", "3", "1/7"])
_QUOTAS = st.lists(st.sampled_from(["1/5", "1/3", "2/5", "1/2", "3/5", "4/5"]), min_size=3, max_size=3)
_MEMBERS: st.SearchStrategy[Member] = st.sampled_from(MEMBERS)


def _weight(document: Document, draw: st.DrawFn) -> None:
    document["members"][draw(_MEMBERS)]["weight"] = draw(_WEIGHTS)


def _weight_of_type(document: Document, draw: st.DrawFn) -> None:
    document["weights"] = {draw(st.sampled_from(DECISION_TYPES)): {draw(_MEMBERS): draw(_WEIGHTS)}}


def _quota(document: Document, draw: st.DrawFn) -> None:
    quotas = sorted(draw(_QUOTAS), key=Fraction)
    document["merge"]["quotas"] = dict(zip(VERDICTS[1:], quotas, strict=True))


def _merge(document: Document, draw: st.DrawFn) -> None:
    key, values = draw(
        st.sampled_from(
            [
                ("quorum", ["0", "1/2", "4/5", "1"]),
                ("absent_counts_as", ["modify", "reject", "quarantine"]),
                ("confidence_floor", ["0", "1/10", "1/2"]),
                ("rule", ["quota", "plurality", "median", "strictest"]),
            ]
        )
    )
    document["merge"][key] = draw(st.sampled_from(values))


def _required(document: Document, draw: st.DrawFn) -> None:
    document["required"][draw(st.sampled_from(DECISION_TYPES))] = draw(st.lists(_MEMBERS, unique=True, max_size=2))


def _confidence(document: Document, draw: st.DrawFn) -> None:
    member = draw(_MEMBERS)
    document["members"][member]["confidence"] = draw(st.sampled_from(["use", "ignore"]))
    if document["members"][member]["confidence"] == "use" and draw(st.booleans()):
        document["members"][member]["calibration"] = [[0, 0], [600, 300], [900, 1000]]


def _threshold(document: Document, draw: st.DrawFn) -> None:
    member = draw(_MEMBERS)
    name, spec = draw(st.sampled_from(sorted(THRESHOLDS[member].items())))
    document["members"][member]["thresholds"][name] = draw(st.sampled_from([spec.low, spec.default, spec.high]))


def _rules(document: Document, draw: st.DrawFn) -> None:
    rules: Any = shipped().document["rules"]
    document["rules"] = [rule for rule in rules if draw(st.booleans())]


def _realm(document: Document, draw: st.DrawFn) -> None:
    mode = draw(st.sampled_from(["off", "log_only", "review_only", "enforce"]))
    document["realms"] = {
        draw(st.sampled_from(["*", "realm-1", "elsewhere"])): {
            "mode": mode,
            "impact_threshold": draw(st.sampled_from([0, 60, 100])),
        }
    }


def _judge(document: Document, draw: st.DrawFn) -> None:
    document["members"][draw(_MEMBERS)]["judge"] = draw(st.sampled_from(["rules", "model"]))


def _seating(document: Document, draw: st.DrawFn) -> None:
    document["seating"][draw(_MEMBERS)] = draw(st.sampled_from(["true", "touches_canon == 1", "impact_score > 70"]))


_CHANGES = [
    _weight, _weight, _weight_of_type, _quota, _quota, _merge, _merge, _merge, _required, _required, _confidence, _threshold,
    _rules, _realm, _judge, _seating,
]  # fmt: skip
