"""Suites as pytest items: named by their cases, failing with the story that the command tells."""

from pathlib import Path

import pytest

from tests.unit.evals.suites_written import HARBOR, case, document, written

pytest_plugins = ["pytester"]
QUIET = ("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")
PLUGIN = ("-p", "evals.pytest_plugin", *QUIET, "-W", "error")


def test_every_case_and_gate_is_a_test_and_a_failure_tells_its_story(pytester: pytest.Pytester) -> None:
    cases = [
        case("calm", label="approve", axis="balance", tags=["small"]),
        case("inland", about="a harbor far from the sea", file=HARBOR, label="reject", expect={"verdict": "approve"}),
    ]
    path = written(pytester.path, document(cases, gates=["accuracy == 1", "needless_holds >= 1"]))
    found = pytester.runpytest(*PLUGIN, path, "-v")
    found.assert_outcomes(passed=2, failed=2)
    found.stdout.fnmatch_lines(
        [
            "*::calm PASSED*",
            "*::inland FAILED*",
            "*::accuracy == 1 PASSED*",
            "a harbor far from the sea",
            "verdict: expected approve, found reject",
            "why reject: as everybody at the table says",
            "rules that acted: canon_lock",
            f"{path}:17",
            "the gate needless_holds >= 1 does not hold: found 0",
        ]
    )
    assert "Traceback" not in found.stdout.str()


def test_tags_and_axes_select_cases(pytester: pytest.Pytester) -> None:
    written(pytester.path, document([case("a", axis="exploit"), case("b", tags=["empire"]), case("c")]))
    pytester.runpytest(*PLUGIN, "-k", "exploit or empire").assert_outcomes(passed=2, deselected=1)


def test_a_suite_that_is_wrong_fails_to_collect_with_every_fault(pytester: pytest.Pytester) -> None:
    path = written(pytester.path, document([case("a", lable="approve"), case("b", axis="none")]))
    found = pytester.runpytest(*PLUGIN)
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines(
        [f"*{path}:10: cases?0?.lable: unknown key; did you mean 'label'?", f"*{path}:*: cases?1?.axis:*"]
    )


def test_without_the_plugin_nothing_is_collected(pytester: pytest.Pytester) -> None:
    path = written(pytester.path, document([case("a")]))
    assert pytester.runpytest(*QUIET, path.parent).ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_policy_of_the_command_line_goes_before_the_suites_own(pytester: pytest.Pytester, tmp_path: Path) -> None:
    import json

    from tests.unit.evals.recorded import shipped

    (tmp_path / "milder.yaml").write_text(json.dumps({**shipped().document, "rules": []}))
    written(pytester.path, document([case("inland", file=HARBOR, expect={"path": "veto"})]))
    pytester.runpytest(*PLUGIN).assert_outcomes(passed=1)
    pytester.runpytest(*PLUGIN, "--council-policy", tmp_path / "milder.yaml").assert_outcomes(failed=1)
