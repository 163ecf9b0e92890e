"""Rules in CEL: what they may say, and that whatever goes wrong with one counts as fired (S0-62 to S0-64)."""

import re
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rules import (
    Rule,
    RuleResult,
    RuleSet,
    RuleSyntaxError,
    as_error,
    compile_rule,
    explanation,
    integers_of,
    placeholders,
    values_read,
)

COLLAPSE = compile_rule(
    "realm_collapse",
    "collapse_risk >= threshold || collapse_risk_rise >= 250",
    outcome="reject",
    threshold=700,
    because="risk {collapse_risk} of {threshold}, up {collapse_risk_rise}",
    when_missing="quarantine",
)


def only(rule: Rule, **values: int) -> RuleResult:
    (result,) = RuleSet([rule]).evaluate(values)
    return result


@pytest.mark.parametrize(
    ("risk", "rise", "fires"), [(699, 249, False), (700, 0, True), (0, 250, True), (0, -250, False)]
)
def test_a_rule_fires_exactly_where_its_condition_holds(risk: int, rise: int, fires: bool) -> None:
    result = only(COLLAPSE, collapse_risk=risk, collapse_risk_rise=rise)
    assert (result.fired, result.outcome, result.error, result.missing) == (fires, "reject", "", ())


def test_only_a_fired_rule_carries_the_values_it_read() -> None:
    assert only(COLLAPSE, collapse_risk=701, collapse_risk_rise=0, other=3).values == {
        "collapse_risk": 701,
        "collapse_risk_rise": 0,
    }
    assert only(COLLAPSE, collapse_risk=1, collapse_risk_rise=0).values == {}
    assert values_read(COLLAPSE, {"collapse_risk": 1, "other": 3}) == {"collapse_risk": 1}


def test_results_stand_in_the_order_of_the_rules_whether_or_not_something_is_missing() -> None:
    rules = RuleSet([compile_rule("b", "x > 0"), COLLAPSE, compile_rule("a", "x > 5")])
    complete = {"x": 1, "collapse_risk": 0, "collapse_risk_rise": 0}
    assert [(r.rule.rule_id, r.fired) for r in rules.evaluate(complete)] == [
        ("b", True),
        ("realm_collapse", False),
        ("a", False),
    ]
    assert [(r.rule.rule_id, r.fired) for r in rules.evaluate({"x": 1})] == [
        ("b", True),
        ("realm_collapse", True),
        ("a", False),
    ]


def test_a_missing_signal_fires_as_quarantine_where_the_rule_says_so() -> None:
    result = only(COLLAPSE, collapse_risk=0)
    assert (result.fired, result.outcome, result.missing) == (True, "quarantine", ("collapse_risk_rise",))
    assert explanation(result, {}) == "cannot be judged: collapse_risk_rise could not be computed"


def test_a_missing_signal_is_skipped_where_the_rule_says_so_and_is_still_named() -> None:
    result = only(compile_rule("r", "x > 0 || y > 0", outcome="reject"), x=1)
    assert (result.fired, result.outcome, result.missing) == (False, "reject", ("y",))


@pytest.mark.parametrize("when", ["x / y > 1", "x % y == 0", "x * x * x > 0"])
def test_a_rule_that_fails_counts_as_fired_with_outcome_quarantine(when: str) -> None:
    values = {"x": 2**40, "y": 0}
    for rules in (RuleSet([compile_rule("r", when, outcome="modify")]), _with_something_missing(when)):
        result = rules.evaluate(values)[0]
        assert (result.fired, result.outcome, result.error) == (True, "quarantine", "rule_error:r")
    assert explanation(result, values).startswith("rule_error:r: ")


def _with_something_missing(when: str) -> RuleSet:
    return RuleSet([compile_rule("r", when, outcome="modify"), compile_rule("other", "nowhere > 0")])


def test_a_condition_that_is_a_number_counts_as_failed() -> None:
    assert only(compile_rule("r", "x"), x=1).error == "rule_error:r"


def test_as_error_turns_any_result_into_a_fired_quarantine() -> None:
    failed = as_error(only(compile_rule("r", "x > 0", outcome="modify"), x=0))
    assert (failed.fired, failed.outcome, failed.error) == (True, "quarantine", "rule_error:r")


@pytest.mark.parametrize(
    ("when", "complaint"),
    [
        ("size('abc') > x", "unexpected"),
        ("x.y > 1", "unexpected '.' at character 2"),
        ("x > 1.5", "unexpected '1' at character 5"),
        ('x == "a"', "unexpected '\"' at character 6"),
        ("x in [1]", "unexpected '['"),
        ("timestamp(x) > x", "uses timestamp"),
        ("x > ", "not valid CEL"),
        ("x > 1)", "not valid CEL"),
        ("x == true", "compares with true or false"),
        ("x > 99999999999999999999", "not valid CEL"),
        ("x > 1 &&" + " x > 1 &&" * 100 + " x > 1", "longer than 500 characters"),
        ("(" * 240 + "x" + ")" * 240 + " > 1", "not valid CEL"),
        ("x > ;", "unexpected ';'"),
        ("x > １", "unexpected '１'"),
    ],
)
def test_what_is_not_a_condition_over_whole_numbers_is_refused(when: str, complaint: str) -> None:
    with pytest.raises(RuleSyntaxError, match=re.escape(complaint)):
        compile_rule("r", when)


def test_the_threshold_is_a_word_of_its_own() -> None:
    rule = compile_rule("r", "impact_score >= impact_threshold - threshold", threshold=-5)
    assert rule.signals == ("impact_score", "impact_threshold")
    assert only(rule, impact_score=64, impact_threshold=60).fired is False
    assert only(rule, impact_score=65, impact_threshold=60).fired is True


def test_the_sentence_is_filled_with_the_numbers_of_the_case() -> None:
    result = only(COLLAPSE, collapse_risk=812, collapse_risk_rise=-3)
    assert explanation(result, result.values) == "risk 812 of 700, up -3"
    assert placeholders(COLLAPSE.because) == ("collapse_risk", "threshold", "collapse_risk_rise")


def test_a_sentence_may_show_a_signal_that_is_missing() -> None:
    rule = compile_rule("r", "x > 0", because="x {x} beside {y}")
    assert explanation(only(rule, x=1), {"x": 1}) == "x 1 beside unknown"


def test_the_numbers_of_a_condition_include_its_threshold_and_not_the_digits_of_names() -> None:
    assert integers_of(compile_rule("r", "top5_share > threshold && x < 12", threshold=7)) == (7, 12)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=30))
def test_a_set_that_remembers_says_what_one_without_memory_says(cases: list[tuple[int, int, bool]]) -> None:
    rules = [compile_rule("r", "x / y > 0"), compile_rule("s", "x > y", when_missing="quarantine")]
    plain, remembering = RuleSet(rules), RuleSet(rules, remembered=4)
    for x, y, is_whole in cases:
        values = {"x": x, "y": y, "z": 9} if is_whole else {"x": x}
        assert remembering.evaluate(values) == plain.evaluate(values)


def test_one_rule_set_serves_several_threads_at_once() -> None:
    rules = RuleSet([compile_rule(f"r{index}", f"x >= {index}") for index in range(20)])
    wrong: list[int] = []

    def judge(x: int) -> None:
        counts = {sum(result.fired for result in rules.evaluate({"x": x})) for _ in range(300)}
        wrong.extend(counts - {x + 1})

    threads = [threading.Thread(target=judge, args=(x,)) for x in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-5, 5))
def test_conditions_mean_what_they_mean_in_python(a: int, b: int, c: int) -> None:
    rule = compile_rule("r", "a + b * c > threshold && !(a == b) || a - c <= -3", threshold=2)
    assert only(rule, a=a, b=b, c=c).fired == ((a + b * c > 2 and a != b) or a - c <= -3)


def test_twenty_rules_cost_microseconds() -> None:
    """The issue allows 40 µs a review; ten times that here, so that a busy machine does not fail it."""
    rules = RuleSet([compile_rule(f"r{n}", f"a{n} >= {n} && b < 4") for n in range(20)])
    values = {f"a{n}": 0 for n in range(1, 20)} | {"a0": -1, "b": 1}
    best = min(_seconds(rules, values) for _ in range(50))
    assert best < 400e-6


def _seconds(rules: RuleSet, values: dict[str, int]) -> float:
    started = time.perf_counter()
    rules.evaluate(values)
    return time.perf_counter() - started
