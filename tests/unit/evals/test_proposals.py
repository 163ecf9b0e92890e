"""Proposals: the old file with other numbers in it, checked by loading, beside the old one and never over it."""

import json
from fractions import Fraction
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from council.merge import Seats
from council.merge_lines import merge_line
from council.seating import seats_for
from evals.costs import Costs
from evals.errors import EvalsError
from evals.policy_edits import PolicyText, UneditableError
from evals.proposals import FIRST_LINE, is_sound, merge_policy, proposed_document, write_merge_policy, write_proposal
from evals.tuning import tune
from evals.tuning_ways import Options, Scheme
from policies.calibration import Steps
from policies.lint import lint
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy
from policies.verdicts import MEMBERS, VERDICTS
from policies.yaml_positions import read_yaml
from tests.unit.evals.tuned_juries import drawn_jury
from tests.unit.policies.policy_files import policy_document, write_policy

SHIPPED = default_policy_path()
EQUAL: dict[str, Fraction] = dict.fromkeys(map(str, MEMBERS), Fraction(1))
LORE = {**EQUAL, "lore": Fraction(3, 2), "risk": Fraction(1, 12)}
QUOTAS = dict(zip(VERDICTS[1:], (Fraction(1, 3), Fraction(2, 5), Fraction(1, 2)), strict=True))
STEPS: Steps = ((0, 400), (900, 800))


def scheme(tables: dict[str, Steps] | None = None) -> Scheme:
    return Scheme({"impact_dispute": LORE}, QUOTAS, tables or {})


def proposed(path: Path, source: Path = SHIPPED, changed: Scheme | None = None) -> Policy:
    return write_proposal(path, source, load_policy(source), changed or scheme(), ["From 40 labels."])


def changed_lines(path: Path) -> list[str]:
    old = SHIPPED.read_text("utf-8").splitlines()
    return [line for line in path.read_text("utf-8").splitlines() if line not in old]


def test_a_proposal_is_the_old_file_with_other_numbers(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    policy = proposed(path, changed=scheme({"lore": STEPS}))
    assert changed_lines(path) == [
        FIRST_LINE,
        "# From 40 labels.",
        "id: aelvyndor-tuned",
        "version: 2 # raise it with every change that you publish",
        "    confidence: use",
        "    calibration: [[0, 400], [900, 800]]",
        "weights:",
        '  impact_dispute: {lore: "3/2", risk: "1/12"}',
        '    reject: "2/5"',
        '    quarantine: "1/2"',
    ]
    assert policy.weights["impact_dispute"] == LORE
    assert policy.weights["major_trigger"] == dict.fromkeys(MEMBERS, Fraction(1))
    assert policy.quotas == QUOTAS
    assert (policy.members["lore"].use_confidence, policy.members["lore"].calibration) == (True, STEPS)


def test_a_proposal_of_a_proposal_keeps_its_name_and_says_only_where_its_own_numbers_come_from(tmp_path: Path) -> None:
    proposed(tmp_path / "one.yaml", changed=scheme({"lore": STEPS}))
    again = proposed(
        tmp_path / "two.yaml", tmp_path / "one.yaml", Scheme({"impact_dispute": LORE}, QUOTAS, {"lore": ((0, 1),)})
    )
    text = (tmp_path / "two.yaml").read_text("utf-8")
    assert (again.policy_id, again.version) == ("aelvyndor-tuned", 3)
    assert text.count(FIRST_LINE) == 1
    assert text.count("calibration: [[0, 1]]") == 1


def test_weights_that_become_equal_again_leave_no_overrides(tmp_path: Path) -> None:
    proposed(tmp_path / "one.yaml")
    equal = Scheme({"impact_dispute": EQUAL}, QUOTAS, {})
    again = proposed(tmp_path / "two.yaml", tmp_path / "one.yaml", equal)
    assert again.document["weights"] == {}
    assert "\nweights: {}" in (tmp_path / "two.yaml").read_text("utf-8")


def test_a_policy_in_another_form_is_written_out_whole(tmp_path: Path) -> None:
    """JSON on many lines is YAML, and no text that an editor of lines can be sure of."""
    source = write_policy(tmp_path / "small.json", merge={"quorum": "1/2"})
    policy = proposed(tmp_path / "new.yaml", source)
    assert policy.quorum == Fraction(1, 2)
    assert policy.document == proposed_document(load_policy(source), scheme())


def test_missing_sections_are_added(tmp_path: Path) -> None:
    document = policy_document()
    lines = [f"{key}: {json.dumps(value)}" for key, value in document.items()]
    source = tmp_path / "short.yaml"
    source.write_text("# A short policy.\n" + "\n".join(lines) + "\n", "utf-8")
    policy = proposed(tmp_path / "new.yaml", source)
    text = (tmp_path / "new.yaml").read_text("utf-8")
    assert "# A short policy." in text and policy.quotas == QUOTAS and policy.weights["impact_dispute"] == LORE


def test_shadow_policies_come_along_only_beside_the_old_file(tmp_path: Path) -> None:
    write_policy(tmp_path / "strict.yaml", id="strict", merge={"quotas": {"quarantine": "1/2"}})
    source = write_policy(tmp_path / "live.yaml", shadow=["strict.yaml"])
    (tmp_path / "away").mkdir()
    away = proposed(tmp_path / "away" / "new.yaml", source)
    assert away.shadows == ()
    assert "shadow policies are left out" in (tmp_path / "away" / "new.yaml").read_text("utf-8")
    yaml = tmp_path / "live-yaml.yaml"
    yaml.write_text(
        "\n".join(f"{key}: {json.dumps(value)}" for key, value in policy_document(shadow=["strict.yaml"]).items())
    )
    assert [shadow.policy_id for shadow in proposed(tmp_path / "new.yaml", yaml).shadows] == ["strict"]


@pytest.mark.parametrize("used", ["live.yaml", "strict.yaml"])
def test_a_policy_in_use_is_never_touched(tmp_path: Path, used: str) -> None:
    write_policy(tmp_path / "strict.yaml", id="strict")
    source = write_policy(tmp_path / "live.yaml", shadow=["strict.yaml"])
    before = (tmp_path / used).read_bytes()
    with pytest.raises(EvalsError, match="a policy in use"):
        proposed(tmp_path / used, source)
    assert (tmp_path / used).read_bytes() == before


def test_a_file_that_is_no_proposal_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text("mine", "utf-8")
    with pytest.raises(EvalsError, match="is there already"):
        proposed(tmp_path / "notes.yaml")
    proposed(tmp_path / "new.yaml")
    proposed(tmp_path / "new.yaml")
    assert (tmp_path / "notes.yaml").read_text("utf-8") == "mine"


def test_nothing_is_left_where_a_proposal_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(EvalsError, match="cannot write"):
        proposed(tmp_path / "nowhere" / "new.yaml")
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_is_proposed_loads_and_lints_without_errors(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Members from perfect to useless, so that weights fall far apart: one may outweigh all, or one required be powerless."""
    random = Random(seed)
    skills = random.choices((1.0, 0.9, 0.6, 0.3, 0.0), k=5)
    jury = drawn_jury(seed, random.choice((40, 200)), skills, decision_class="impact_dispute")
    shipped = load_policy(SHIPPED)
    seats = {"impact_dispute": seats_for(shipped, "impact_dispute", MEMBERS)}
    costs = Costs(Fraction(random.randint(1, 9)), Fraction(random.randint(1, 9)))
    options = Options(costs, folds=2, repeats=1, calibrates=frozenset(MEMBERS), is_sound=partial(is_sound, shipped))
    found = tune(jury, seats, options)
    path = tmp_path_factory.mktemp("proposal") / "new.yaml"
    policy = proposed(path, changed=found.fullest)
    assert load_policy(path).content_hash == policy.content_hash
    assert policy.weights["impact_dispute"] == found.fullest.weights["impact_dispute"]
    assert [finding for finding in lint(policy) if finding.severity == "error"] == []


def test_one_member_that_would_decide_alone_or_sit_for_nothing_is_not_sound() -> None:
    shipped = load_policy(SHIPPED)
    quotas = dict.fromkeys(VERDICTS[1:], Fraction(1, 2))
    alone = {**{member: Fraction(1, 12) for member in EQUAL}, "lore": Fraction(5)}
    assert not is_sound(shipped, Scheme({"impact_dispute": alone}, quotas, {}))
    assert is_sound(shipped, Scheme({"impact_dispute": EQUAL}, quotas, {}))


@pytest.mark.parametrize("text", ["a: [1,\n 2]\n", "a:\n  - 1\n", "{a: 1}\n", "a: 'x # y'\n"])
def test_edits_keep_off_what_they_are_not_sure_of(text: str) -> None:
    """Either the edit leaves a document that says the new value, or it is refused: nothing in between."""
    edit = PolicyText(text)
    try:
        edit.set("7", "a")
    except UneditableError:
        return
    assert json.dumps(_plain(edit.text)) == '{"a": 7}'


def _plain(text: str) -> Any:
    return read_yaml(text, "x").value


def test_the_policy_of_a_foreign_jury_is_read_by_the_merge_filter(tmp_path: Path) -> None:
    seats = Seats({"ana": Fraction(1), "bo": Fraction(1)}, quorum=Fraction(0))
    found = merge_policy(seats, Scheme({"": {"ana": Fraction(2), "bo": Fraction(1, 2)}}, QUOTAS, {"ana": STEPS}), "")
    path = tmp_path / "policy.json"
    write_merge_policy(path, found)
    write_merge_policy(path, found)
    line = json.loads(path.read_text("utf-8"))
    line["votes"] = [{"member": "ana", "verdict": "reject", "confidence": 900}, {"member": "bo", "verdict": "approve"}]
    assert json.loads(merge_line(json.dumps(line)))["shares"]["reject"] == "16/21"  # 2 * 800 of 2 * 800 + 500
    (tmp_path / "other.json").write_text("{}", "utf-8")
    with pytest.raises(EvalsError, match="is there already"):
        write_merge_policy(tmp_path / "other.json", found)
