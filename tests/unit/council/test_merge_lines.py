"""`council merge`: votes by hand, exact answers, and faults that teach (council.md, the merge)."""

import json
from typing import Any

import pytest

from council.merge_lines import merge_line
from policies.faults import InvalidInputError


def merged(**document: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(merge_line(json.dumps(document)))
    return answer


def votes(**verdicts: str) -> list[dict[str, Any]]:
    return [{"member": member, "verdict": verdict} for member, verdict in verdicts.items()]


def test_the_line_of_the_design_gives_the_answer_of_the_design() -> None:
    """Masses: governor 1 x 900 at approve, lore 3/2 x 1000 absent at quarantine; 1500 / 2400 = 5/8."""
    assert merged(
        policy={
            "weights": {"governor": 1, "lore": "3/2"},
            "quotas": {"modify": "1/3", "reject": "1/3", "quarantine": "2/5"},
            "quorum": "3/5",
            "required": ["lore"],
            "confidence": {"governor": "use"},
        },
        votes=[
            {"member": "governor", "verdict": "approve", "confidence": 900},
            {"member": "lore", "abstained": "timeout"},
        ],
        vetoes=[],
    ) == {
        "verdict": "quarantine",
        "confidence": "0",
        "coverage": "2/5",
        "shares": {"approve": "1", "modify": "5/8", "reject": "5/8", "quarantine": "5/8"},
        "tags": ["no_quorum", "required_member_absent"],
        "decided_by": "want_of_votes",
    }


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        # Of five equal members the second-strictest vote decides: 1/5 is below the third, 2/5 reaches it.
        (("approve", "approve", "approve", "approve", "quarantine"), "approve"),
        (("approve", "approve", "approve", "reject", "quarantine"), "reject"),
        (("approve", "modify", "modify", "reject", "approve"), "modify"),
        (("reject", "reject", "approve", "approve", "approve"), "reject"),
    ],
)
def test_the_second_strictest_of_five_equal_votes_decides(verdicts: tuple[str, ...], expected: str) -> None:
    members = ("governor", "fairness", "lore", "narrative", "risk")
    assert merged(votes=votes(**dict(zip(members, verdicts, strict=True))))["verdict"] == expected


def test_the_margin_is_the_least_way_to_another_verdict() -> None:
    """Two of five at modify: (2/5 - 1/3) / (1 - 1/3) = 1/10; reject is (1/3 - 0) / (1/3) = 1 away."""
    answer = merged(
        votes=votes(governor="approve", fairness="modify", lore="modify", narrative="approve", risk="approve")
    )
    assert (answer["verdict"], answer["confidence"]) == ("modify", "1/10")


FIVE_APPROVE = votes(governor="approve", fairness="approve", lore="approve", narrative="approve", risk="approve")


@pytest.mark.parametrize(
    ("cast", "outcome", "verdict", "decided_by", "confidence"),
    [
        (FIVE_APPROVE, "reject", "reject", "veto", "1"),
        (FIVE_APPROVE, "quarantine", "quarantine", "veto", "1"),
        (FIVE_APPROVE, "modify", "modify", "floor", "1"),
        ([], "reject", "reject", "veto", "1"),
        ([], "modify", "quarantine", "want_of_votes", "0"),
    ],
)
def test_rules_and_votes_combine_as_the_procedure_says(
    cast: list[dict[str, Any]], outcome: str, verdict: str, decided_by: str, confidence: str
) -> None:
    answer = merged(votes=cast, vetoes=[{"rule": "r", "outcome": outcome}])
    assert (answer["verdict"], answer["decided_by"], answer["confidence"]) == (verdict, decided_by, confidence)


def test_stricter_votes_stand_beside_a_milder_rule() -> None:
    cast = [{**vote, "verdict": "quarantine"} for vote in FIVE_APPROVE]
    answer = merged(votes=cast, vetoes=[{"rule": "r", "outcome": "reject"}])
    assert (answer["verdict"], answer["decided_by"]) == ("quarantine", "votes")


def test_a_verdict_below_the_confidence_floor_is_sent_as_quarantine() -> None:
    cast = votes(governor="approve", fairness="modify", lore="modify", narrative="approve", risk="approve")
    answer = merged(policy={"confidence_floor": "1/5"}, votes=cast)
    assert (answer["verdict"], answer["tags"], answer["confidence"]) == ("quarantine", ["low_confidence"], "1/10")


def test_no_confidence_under_use_is_an_abstention() -> None:
    cast = [{"member": "governor", "verdict": "approve", "confidence": 0}]
    answer = merged(policy={"weights": {"governor": 1}, "confidence": {"governor": "use"}}, votes=cast)
    assert (answer["verdict"], answer["tags"]) == ("quarantine", ["no_quorum", "no_votes"])


BAD = {
    "a float": ({"policy": {"quorum": 0.6}}, "/policy/quorum", "2/5"),
    "a quota of one": ({"policy": {"quotas": {"quarantine": 1}}}, "/policy/quotas/quarantine", "strictly between"),
    "quotas that fall": ({"policy": {"quotas": {"modify": "1/2"}}}, "/policy/quotas", "modify <= reject"),
    "a weight of nothing": ({"policy": {"weights": {"lore": 0}}}, "/policy/weights/lore", "above 0"),
    "nobody seated": ({"policy": {"weights": {}}}, "/policy/weights", "nobody"),
    "a typo in a key": ({"policy": {"quotum": "1/2"}}, "/policy/quotum", "did you mean 'quorum'?"),
    "a typo in a verdict": ({"votes": votes(lore="aprove")}, "/votes/0/verdict", "did you mean 'approve'?"),
    "a member not seated": ({"votes": votes(governer="approve")}, "/votes/0/member", "did you mean 'governor'?"),
    "two votes of one member": ({"votes": votes(lore="approve") * 2}, "/votes/1", "second vote"),
    "a vote that is both": (
        {"votes": [{"member": "lore", "verdict": "approve", "abstained": "timeout"}]},
        "/votes/0",
        "not both",
    ),
    "confidence over 1000": (
        {"votes": [{"member": "lore", "verdict": "approve", "confidence": 1001}]},
        "/votes/0/confidence",
        "0 to 1000",
    ),
    "absent as approve": ({"policy": {"absent_counts_as": "approve"}}, "/policy/absent_counts_as", "known"),
    "a rule that approves": ({"vetoes": [{"rule": "r", "outcome": "approve"}]}, "/vetoes/0/outcome", "known"),
    "not an object": ([], "", "must be an object"),
}


@pytest.mark.parametrize(("document", "path", "words"), BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_refused_by_place_and_fix(document: Any, path: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        merge_line(json.dumps(document))
    faults = {fault.path: str(fault) for fault in refused.value.faults}
    assert words in faults[path]
