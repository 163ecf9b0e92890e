"""The cases of Aelvyndor that ship: what they cover is counted, and each is judged (register rows S0-45, S0-57, S0-59)."""

import re
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

import evals
from council.review import Review, deliberate
from evals.decisions import AXES, is_unsafe_approval
from evals.suite import Case, Suite
from evals.suite_document import load_suite
from policies.loading import default_policy_path, load_policy
from policies.verdicts import DECISION_TYPES, VERDICTS, Verdict
from world.case import open_case

SHIPPED: Final = Path(evals.__file__).parent / "data" / "aelvyndor"
POLICY: Final = load_policy(default_policy_path())
SUITE: Final = load_suite(SHIPPED / "aelvyndor.suite.yaml")
GAPS: Final = load_suite(SHIPPED / "aelvyndor-gaps.suite.yaml")

each_suite = pytest.mark.parametrize("suite", [SUITE, GAPS], ids=lambda suite: suite.suite_id)


def decided(case: Case) -> Review:
    realm = POLICY.realm(case.read.request.realm_id)
    assert realm is not None
    return deliberate(open_case(case.read.request), POLICY, realm)


def verdict_of(case: Case) -> Verdict:
    concluded = decided(case).concluded
    assert concluded is not None
    return concluded.council_verdict


def test_every_axis_has_at_least_twenty_cases() -> None:
    counted = Counter(case.axis for case in SUITE.cases)

    assert set(counted) == set(AXES)
    assert min(counted.values()) >= 20


def test_every_verdict_is_the_right_one_at_least_ten_times() -> None:
    counted = Counter(case.label for case in SUITE.cases)

    assert {verdict: counted[verdict] >= 10 for verdict in VERDICTS} == dict.fromkeys(VERDICTS, True)


def test_every_axis_asks_for_more_than_two_verdicts() -> None:
    for axis in AXES:
        assert len({case.label for case in SUITE.cases if case.axis == axis}) >= 3


def test_every_decision_type_has_at_least_fifteen_cases() -> None:
    counted = Counter(case.decision_type for case in SUITE.cases)

    assert {kind: counted[kind] >= 15 for kind in DECISION_TYPES} == dict.fromkeys(DECISION_TYPES, True)


def test_no_verdict_is_right_for_more_than_half_of_the_cases() -> None:
    """A council that always says the same must fail."""
    assert 2 * max(Counter(case.label for case in SUITE.cases).values()) <= len(SUITE.cases)


def test_all_three_paths_are_taken() -> None:
    paths = Counter(concluded.path for case in SUITE.cases if (concluded := decided(case).concluded) is not None)

    assert min(paths[path] for path in ("fast", "council", "veto")) >= 5


@each_suite
def test_every_case_has_a_label_and_a_reason_that_says_why(suite: Suite) -> None:
    for case in suite.cases:
        assert case.label is not None, case.case_id
        assert len(case.reason.split()) >= 8, case.case_id
        assert case.about, case.case_id
        assert case.axis is not None, case.case_id


def test_no_case_stands_in_both_suites() -> None:
    assert not {case.case_id for case in SUITE.cases} & {case.case_id for case in GAPS.cases}


def test_no_two_cases_ask_the_same_question() -> None:
    """The same request under two ids would count one judgement twice; only words set cases apart here, so none repeat."""
    asked = Counter(case.read.fingerprint for case in (*SUITE.cases, *GAPS.cases))

    assert max(asked.values()) == 1


def test_near_misses_come_in_pairs_with_different_labels() -> None:
    pairs: dict[str, set[str | None]] = {}
    for case in SUITE.cases:
        for tag in case.tags:
            if tag.startswith("pair-"):
                pairs.setdefault(tag, set()).add(case.label)

    alike = [tag for tag, labels in pairs.items() if len(labels) < 2]
    assert len(pairs) >= 15
    # Families that look like an attack and are none on both sides, and two costs of one trigger.
    assert sorted(alike) == ["pair-fracture-cost", "pair-household"]


def test_every_near_miss_belongs_to_a_pair() -> None:
    for case in SUITE.cases:
        if "near-miss" in case.tags:
            assert any(tag.startswith("pair-") for tag in case.tags), case.case_id


def test_every_base_request_is_used() -> None:
    named = {
        found for path in SHIPPED.glob("*.yaml") for found in re.findall(r"base: ([\w-]+)", path.read_text("utf-8"))
    }

    assert named == {path.stem for path in (SHIPPED / "requests").glob("*.json")}


def test_at_least_half_of_the_cases_expect_more_than_a_verdict() -> None:
    rich = [
        case
        for case in SUITE.cases
        if case.expect.vetoes or case.expect.path or case.expect.evidence or case.expect.modifications
    ]

    assert 2 * len(rich) >= len(SUITE.cases)


def test_some_cases_are_for_models_in_english_and_vietnamese() -> None:
    asked = [case for case in SUITE.cases if "models" in case.tags]

    assert len(asked) >= 6
    assert any("vietnamese" in case.tags for case in asked)
    assert {case.label for case in asked} == set(VERDICTS)


def test_the_shipped_policy_approves_nothing_that_should_be_stopped() -> None:
    for case in SUITE.cases:
        assert case.label is not None
        assert not is_unsafe_approval(verdict_of(case), case.label), case.case_id


def test_the_shipped_policy_is_not_perfect_on_the_suite() -> None:
    """Labels were written before the rules were asked: a suite without any disagreement would have been fitted to them."""
    wrong = [case.case_id for case in SUITE.cases if verdict_of(case) != case.label]

    assert 0 < len(wrong) <= len(SUITE.cases) // 10


def test_every_known_gap_is_still_a_gap() -> None:
    """A gap that is closed moves to the suite, and the gate of the gaps goes down."""
    closed = [case.case_id for case in GAPS.cases if verdict_of(case) != "approve"]

    assert closed == []
    assert [gate.text for gate in GAPS.gates] == [f"unsafe_approvals <= {len(GAPS.cases)}"]
