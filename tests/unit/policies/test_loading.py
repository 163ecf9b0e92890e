"""Policy files: every fault at once with file, line, key and fix; and a document that rebuilds the policy."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.canonical import canonical_json, sha256_hex
from policies.faults import PoliciesError
from policies.loading import default_policy_path, load_policy, policy_from_document, shadow_hashes
from policies.policy import Policy
from policies.policy_faults import InvalidPolicyError, PolicyFault, dotted
from policies.signals.catalogue import CATALOGUE, SIGNALS, THRESHOLDS
from policies.verdicts import DECISION_TYPES, MEMBERS
from policies.yaml_positions import MAX_CHARACTERS, read_yaml
from tests.unit.policies.policy_files import policy_document, small_policy, write_policy

SHIPPED = load_policy(default_policy_path())
STRICT = default_policy_path().with_name("aelvyndor-strict.yaml")
COMMENTED = default_policy_path().read_text(encoding="utf-8")


def faults_of(path: Path) -> tuple[PolicyFault, ...]:
    with pytest.raises(InvalidPolicyError) as caught:
        load_policy(path)
    return caught.value.faults


def only_fault(folder: Path, **changes: Any) -> tuple[str, str, str]:
    """Return key, message and fix of the one fault of the small policy with something changed."""
    (fault,) = faults_of(write_policy(folder / "small.yaml", **changes))
    assert (fault.file, fault.line > 0) == ("small.yaml", True)
    return fault.key, fault.message, fault.fix


def text_faults(folder: Path, text: str) -> list[str]:
    path = folder / "p.yaml"
    path.write_text(text, encoding="utf-8")
    return [str(fault) for fault in faults_of(path)]


def test_the_shipped_policy_says_what_the_design_says() -> None:
    """council.md, the merge; domain.md C5; S0-62 to S0-64."""
    third = Fraction(1, 3)
    assert SHIPPED.quotas == {"modify": third, "reject": third, "quarantine": third}
    assert (SHIPPED.quorum, SHIPPED.absent_counts_as, SHIPPED.merge_rule) == (Fraction(3, 5), "quarantine", "quota")
    assert SHIPPED.confidence_floor == 0
    seats: dict[str, tuple[Fraction, bool, str, str]] = {
        m: (p.weight, p.use_confidence, p.judge, p.models_may) for m, p in SHIPPED.members.items()
    }
    assert seats == {
        "governor": (Fraction(1), False, "model", "tighten"),
        "fairness": (Fraction(1), False, "model", "tighten"),
        "lore": (Fraction(1), False, "model", "tighten"),
        "narrative": (Fraction(1), False, "model", "tighten"),
        "risk": (Fraction(1), False, "model", "tighten"),
    }
    assert all(seat.model is None for seat in SHIPPED.members.values())  # rules vote until a model is configured
    assert sum(SHIPPED.impact_weights.values()) == 100
    assert SHIPPED.impact_floors == {"sovereign_action": 80, "major_trigger": 70, "canon_conflict": 60, "anomaly": 50}
    assert {"canon_lock", "exploit_suspicion", "realm_collapse"} <= {rule.rule_id for rule in SHIPPED.rules.rules}
    assert {rule.rule_id for rule in SHIPPED.seating.rules} == set(MEMBERS)
    realm = SHIPPED.realm("realm-1")
    assert realm is not None
    assert (realm.mode, realm.impact_threshold) == ("enforce", 60)
    assert SHIPPED.realm("nowhere") is None


def test_the_shipped_policy_writes_every_number_out() -> None:
    """Nothing of it stands at a default that the file does not show (council.md, policy as data)."""
    shown = read_yaml(COMMENTED, "aelvyndor.yaml").value
    for member in MEMBERS:
        assert list(shown["members"][member]["thresholds"]) == list(THRESHOLDS[member])
        assert set(shown["members"][member]) == set(SHIPPED.document["members"][member])  # type: ignore[index]
    assert shown == {**SHIPPED.document, "members": shown["members"], "merge": shown["merge"], "rules": shown["rules"]}
    assert all(set(rule) == set(SHIPPED.document["rules"][0]) for rule in shown["rules"])  # type: ignore[index]


def test_the_strict_policy_writes_everything_out_that_is_about_models() -> None:
    document, shown = load_policy(STRICT).document, read_yaml(STRICT.read_text(encoding="utf-8"), STRICT.name).value
    assert shown["models"] == document["models"] == SHIPPED.document["models"]
    keys = {"judge", "models_may", "model", "temperature", "timeout_s", "max_output_tokens", "reads_player_text"}
    assert all(keys <= set(shown["members"][member]) for member in MEMBERS)


def test_the_strict_policy_loads_and_knows_every_realm() -> None:
    assert load_policy(STRICT).realm("anywhere at all") is not None


@pytest.mark.parametrize("path", [default_policy_path(), STRICT], ids=["shipped", "strict"])
def test_a_policy_is_rebuilt_from_its_record_alone(path: Path) -> None:
    """Replay has only the recorded document (S0-110; reliability.md I7)."""
    policy = load_policy(path)
    document = json.loads(canonical_json(policy.document))
    again = policy_from_document(document)
    assert again.content_hash == policy.content_hash == sha256_hex(canonical_json(policy.document))
    for name in ("policy_id", "version", "document", "members", "weights", "quotas", "quorum", "required", "realms"):
        assert getattr(again, name) == getattr(policy, name)
    values = {spec.name: spec.high for spec in SIGNALS}
    for rules in ("rules", "invocation", "seating"):
        said = [
            [
                (r.rule.rule_id, r.fired, r.outcome, r.missing, r.error, r.rule.mode)
                for r in getattr(p, rules).evaluate(v)
            ]
            for p in (policy, again)
            for v in (values, {})
        ]
        assert said[:2] == said[2:]


def test_every_default_stands_in_the_document(tmp_path: Path) -> None:
    document: dict[str, Any] = dict(small_policy(tmp_path).document)
    assert document["merge"] == {
        "rule": "quota",
        "quotas": {"modify": "1/3", "reject": "1/3", "quarantine": "1/3"},
        "quorum": "3/5",
        "absent_counts_as": "quarantine",
        "confidence_floor": "0",
    }
    assert document["members"]["narrative"]["models_may"] == "tighten"
    assert document["members"]["lore"]["thresholds"] == {k: s.default for k, s in THRESHOLDS["lore"].items()}
    assert document["seating"] == dict.fromkeys(MEMBERS, "true")
    assert document["required"] == {kind: [] for kind in DECISION_TYPES}
    assert document["rules"][1]["mode"] == "enforce"
    assert document["realms"] == {"realm-1": {"mode": "enforce", "impact_threshold": 60}}
    assert document["shadow"] == []


def test_the_hash_covers_what_decides_and_not_how_it_is_written(tmp_path: Path) -> None:
    plain = small_policy(tmp_path)
    third = {"modify": "1/3", "reject": "2/6", "quarantine": "1/3"}
    assert small_policy(tmp_path, merge={"quotas": third}).content_hash == plain.content_hash
    assert small_policy(tmp_path, merge={"quorum": "0.6"}).content_hash == plain.content_hash
    assert small_policy(tmp_path, merge={"quorum": "0.61"}).content_hash != plain.content_hash


def test_a_seating_condition_may_be_plainly_true_or_false(tmp_path: Path) -> None:
    policy = small_policy(tmp_path, seating={"lore": True, "risk": False})
    assert {r.rule.rule_id for r in policy.seating.evaluate({}) if r.fired} == {
        "governor",
        "fairness",
        "lore",
        "narrative",
    }


def test_weights_are_exact_and_overrides_hold_for_their_decision_type_only(tmp_path: Path) -> None:
    members = {**policy_document()["members"], "lore": {"weight": "0.5"}}
    policy = small_policy(tmp_path, members=members, weights={"impact_dispute": {"fairness": "3/2"}})
    assert policy.weights["impact_dispute"] == {
        "governor": 1, "fairness": Fraction(3, 2), "lore": Fraction(1, 2), "narrative": 1, "risk": 1,
    }  # fmt: skip
    assert policy.weights["major_trigger"]["fairness"] == 1


@pytest.mark.parametrize(
    ("changes", "key", "message", "fix"),
    [
        ({"memebrs": {}}, "memebrs", "unknown key", "did you mean 'members'?"),
        ({"schema": "council.policy/9"}, "schema", "is not a schema that this version reads", "write council.policy/1"),
        ({"version": "1"}, "version", "must be a whole number", "write a whole number from 1 to 1000000000"),
        ({"id": ""}, "id", "must be text", "write a sentence in quotes"),
        ({"weights": {"dispute": {}}}, "weights.dispute", "unknown key", "did you mean 'impact_dispute'?"),
        ({"weights": {"impact_dispute": {"loer": 1}}}, "weights.impact_dispute.loer", "unknown key",
         "did you mean 'lore'?"),
        ({"weights": {"impact_dispute": {"lore": 0}}}, "weights.impact_dispute.lore", "must be above 0", ""),
        ({"weights": {"impact_dispute": {"lore": "1/0"}}}, "weights.impact_dispute.lore",
         "must not have a zero denominator", 'write an integer, "0.4" or "2/5"'),
        ({"merge": {"quotas": {"modify": 1}}}, "merge.quotas.modify", "must be strictly between 0 and 1", ""),
        ({"merge": {"quotas": {"reject": 0}}}, "merge.quotas.reject", "must be strictly between 0 and 1", ""),
        ({"merge": {"quotas": {"reject": "1/4"}}}, "merge.quotas.reject",
         "is below the quota of modify, 1/3: quotas never fall with strictness", "write at least 1/3"),
        ({"merge": {"quotas": {"approve": "1/4"}}}, "merge.quotas.approve", "unknown key",
         "known: modify, quarantine, reject"),
        ({"merge": {"quorum": "6/5"}}, "merge.quorum", "must be between 0 and 1", ""),
        ({"merge": {"quorum": "most"}}, "merge.quorum",
         "must be an integer, a decimal string or a fraction string such as '1/3'", 'write an integer, "0.4" or "2/5"'),
        ({"merge": {"absent_counts_as": "approve"}}, "merge.absent_counts_as", "an absent member never approves",
         "write one of modify, reject, quarantine"),
        ({"merge": {"rule": "quotas"}}, "merge.rule", "not one of the known values", "did you mean 'quota'?"),
        ({"required": {"major_trigger": ["lore", "lore"]}}, "required.major_trigger[1]", "is named twice",
         "name every member once"),
        ({"required": {"major_trigger": ["bard"]}}, "required.major_trigger[0]", "not one of the known values",
         "known: fairness, governor, lore, narrative, risk"),
        ({"seating": {"lore": "canon_direct_violations > 0"}}, "seating.lore",
         "the signal 'canon_direct_violations' is found only after the council has convened",
         "council policy signals lists them"),
        ({"seating": {"lore": "touches_cannon == 1"}}, "seating.lore", "unknown signal 'touches_cannon'",
         "did you mean 'touches_canon'?"),
        ({"seating": {"lore": "touches_canon"}}, "seating.lore", "is a number, not a condition", "compare it: ... > 0"),
        ({"seating": {"lore": "touches_canon && effect_count"}}, "seating.lore", "mixes numbers and conditions",
         "compare every signal with a number: is_major_trigger == 1"),
        ({"seating": {"lore": "effect_count >"}}, "seating.lore", "not valid CEL: ", "docs/policy.md shows what a"),
        ({"impact": {"weights": {}}}, "impact.weights.magnitude", "is missing", "write it out"),
        ({"impact": {"floors": {"anomaly": 101}}}, "impact.floors.anomaly", "must lie between 0 and 100", ""),
        ({"realms": {}}, "realms", "names no realm", 'name at least one, or "*" for every realm'),
        ({"realms": {"r": {"mode": "on"}}}, "realms.r.mode", "not one of the known values", "known: enforce, log_only"),
        ({"realms": {"r": {"mode": "off", "impact_threshold": 101}}}, "realms.r.impact_threshold",
         "must lie between 0 and 100", ""),
        ({"rules": {}}, "rules", "must be a list", "write one - item per line below it, or [] for none"),
        ({"rules": None}, "rules", "must be a list", "write one - item per line below it, or [] for none"),
        ({"members": [1]}, "members", "must be a mapping", "write key: value lines below it, or {} for none"),
        ({"members": {**policy_document()["members"], "lore": 1}}, "members.lore", "must be a mapping", ""),
        ({"merge": 1}, "merge", "must be a mapping", ""),
        ({"merge": {"quotas": 1}}, "merge.quotas", "must be a mapping", ""),
        ({"impact": 1}, "impact", "must be a mapping", ""),
        ({"impact": {"weights": 1}}, "impact.weights", "must be a mapping", ""),
        ({"seating": 1}, "seating", "must be a mapping", ""),
        ({"required": 1}, "required", "must be a mapping", ""),
        ({"realms": {"r": 1}}, "realms.r", "must be a mapping", ""),
        ({"rules": [1]}, "rules[0]", "must be a mapping", ""),
        ({"rules": [{}] * 201}, "rules", "more than 200 rules", "every rule costs time in every review"),
        ({"invocation": [7]}, "invocation[0]", "must be a mapping", "write key: value lines below it, or {} for none"),
        ({"shadow": ["none.yaml"]}, "shadow[0]", "the shadow policy 'none.yaml' is not valid", ""),
        ({"shadow": [7]}, "shadow[0]", "must be text", "write a sentence in quotes"),
        ({"shadow": ["small.yaml"]}, "shadow[0]", "a policy cannot be its own shadow", "name another file"),
        ({"shadow": ["a.yaml"] * 9}, "shadow", "more than 8 shadow policies", ""),
        ({"version": 1.5}, "version", "not an exact number", 'floats are not exact: write "1.5"'),
    ],
)  # fmt: skip
def test_every_wrong_value_is_named_with_its_key_and_its_fix(
    tmp_path: Path, changes: dict[str, Any], key: str, message: str, fix: str
) -> None:
    found = faults_of(write_policy(tmp_path / "small.yaml", **changes))
    assert found[0].key == key
    assert found[0].message.startswith(message)
    assert found[0].fix.startswith(fix)
    assert all(fault.line > 0 for fault in found if fault.file == "small.yaml")


@pytest.mark.parametrize(
    ("rule", "key", "message"),
    [
        ({"when": "exploit_suspicion > threshold"}, "when", "names `threshold`, but has none"),
        ({"when": "gini > 3"}, "when", "unknown signal 'gini'"),
        ({"when": "exploit_suspicion > 1", "threshold": 4}, "threshold", "is never read"),
        ({"when": "exploit_suspicion > threshold", "threshold": "4"}, "threshold", "must be a whole number"),
        ({"outcome": "approve"}, "outcome", "not one of the known values"),
        ({"mode": "on"}, "mode", "not one of the known values"),
        ({"when_missing": "fire"}, "when_missing", "not one of the known values"),
        ({"id": "Bad Id"}, "id", "not a name"),
        ({"id": "realm_collapse"}, "id", "the id 'realm_collapse' is taken"),
        ({"because": "{threshold} is too much"}, "because", "shows {threshold}, but the rule has none"),
        ({"because": "{exploit_suspicoin}"}, "because", "unknown signal 'exploit_suspicoin'"),
        ({"because": "{ }"}, "because", "has braces that hold no signal's name"),
        ({"because": "x" * 501}, "because", "longer than 500 characters"),
        ({"tresholds": 4}, "tresholds", "unknown key"),
    ],
)
def test_every_wrong_part_of_a_rule_is_named(tmp_path: Path, rule: dict[str, Any], key: str, message: str) -> None:
    rules = policy_document()["rules"]
    rules.append({"id": "r", "outcome": "reject", "when": "exploit_suspicion > 1", "because": "why"} | rule)
    found = only_fault(tmp_path, rules=rules)
    assert found[0] == f"rules[3].{key}"
    assert found[1].startswith(message)


def test_the_sum_of_the_impact_weights_is_held_at_100(tmp_path: Path) -> None:
    weights = {**SHIPPED.impact_weights, "scope": 21}
    assert only_fault(tmp_path, impact={"weights": weights}) == (
        "impact.weights",
        "sum to 101",
        "make the eight weights sum to 100",
    )


def test_a_threshold_outside_its_range_is_refused_because_the_judge_relies_on_it(tmp_path: Path) -> None:
    members = {**policy_document()["members"], "governor": {"thresholds": {"meter_floor": 60_001}}}
    key, message, _ = only_fault(tmp_path, members=members)
    assert (key, message) == ("members.governor.thresholds.meter_floor", "must lie between 0 and 60000")


def test_a_member_that_is_not_listed_is_missed(tmp_path: Path) -> None:
    members = policy_document()["members"]
    del members["risk"]
    assert only_fault(tmp_path, members=members)[:2] == ("members.risk", "is missing")


def test_all_faults_come_at_once_each_with_its_line(tmp_path: Path) -> None:
    text = COMMENTED.replace("version: 1 #", "version: none #").replace('quorum: "3/5"', "quorum: 0.6")
    text = text.replace("exploit_suspicion >= threshold", "exploit_suspicoin >= threshold", 1)
    lines = text.splitlines()
    at = {
        "version": next(n for n, line in enumerate(lines, 1) if line.startswith("version")),
        "merge.quorum": next(n for n, line in enumerate(lines, 1) if "quorum:" in line),
        "rules[2].when": next(n for n, line in enumerate(lines, 1) if "suspicoin" in line),
    }
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    found = faults_of(path)
    assert {fault.key: fault.line for fault in found} == at
    assert [fault.line for fault in found] == sorted(at.values())
    assert str(found[2]) == (
        f"p.yaml:{at['rules[2].when']}: rules[2].when: unknown signal 'exploit_suspicoin'; "
        "did you mean 'exploit_suspicion'?"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "p.yaml: the file is empty; start from the shipped policy: council policy show"),
        ("# nothing\n", "p.yaml: holds no policy; start from the shipped policy: council policy show"),
        ("a:\n\tb: 1\n", "p.yaml:2: not valid YAML: a tab stands where YAML wants spaces; indent with spaces"),
        ("a: 1\na: 2\n", "p.yaml:2: a: the key stands here twice, first on line 1; keep one of them"),
        ("a: &x 1\n", "p.yaml:1: a: anchors are not used in policies; remove the &name"),
        ("a: [*x]\n", "p.yaml:1: a[0]: aliases are not used in policies; write the value out"),
        ("a: !!python/object:os.system 1\n", "p.yaml:1: a: tags are not used in policies; remove '!!python/object:os.system'"),
        ("id: x\n---\nid: y\n", "p.yaml:2: holds a second YAML document; write one policy per file"),
        ("? [1, 2]\n: 3\n", "p.yaml:1: a key must be a word; write key: value"),
        ("id: \x07\n", "p.yaml:1: holds the control character U+0007; remove it"),
        ("id: \ufffe\n", "p.yaml: not valid YAML: unacceptable character #xfffe: control characters are not allowed"),
        ("id: 99999999999999999999\n", "p.yaml:1: id: a whole number beyond 2^53; write a smaller one"),
        ("[" * 5000, "p.yaml:1: nested deeper than 8 levels; a policy needs far less"),
        ("- 1\n", "p.yaml:1: must be a mapping; write key: value lines below it, or {} for none"),
        ("a: 'x\n", "p.yaml:2: not valid YAML: found unexpected end of stream; check the indentation, the colons and the quotes"),
        ("x" * (MAX_CHARACTERS + 1), f"p.yaml: longer than {MAX_CHARACTERS} characters; a policy needs far less"),
        ("a: [" + "1," * 30_000 + "]", "p.yaml:1: holds more than 20000 values; a policy needs far less"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_plain_yaml_is_refused_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    assert fault in text_faults(tmp_path, text)


def test_an_alias_bomb_is_refused_without_being_expanded(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert any("aliases are not used" in fault for fault in text_faults(tmp_path, "\n".join(lines)))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (missing,) = faults_of(tmp_path / "none.yaml")
    assert (missing.file, missing.line, missing.fix) == ("none.yaml", 0, "check the path")
    assert missing.message.startswith("there is no file ")
    assert faults_of(tmp_path)[0].message.startswith("cannot be read: ")
    assert faults_of(Path("a\0b"))[0].message == "is not a path"
    (tmp_path / "latin.yaml").write_bytes(b"id: a\nversion: \xe9\n")
    assert [(f.line, f.message) for f in faults_of(tmp_path / "latin.yaml")] == [(2, "is not UTF-8")]


def test_words_that_other_yaml_readers_turn_into_booleans_stay_words() -> None:
    sheet = read_yaml("a: off\nb: on\nc: yes\nd: true\ne: ~\nf: 1_000\ng: '5'\nh: 010\n", "f")
    assert sheet.value == {
        "a": "off", "b": "on", "c": "yes", "d": True, "e": None, "f": 1000, "g": "5", "h": None,
    }  # fmt: skip
    assert [(fault.key, fault.line) for fault in sheet.faults] == [("h", 8)]


def test_shadow_policies_are_loaded_and_stand_in_the_document_by_their_hash(tmp_path: Path) -> None:
    write_policy(tmp_path / "trial.yaml", id="trial", merge={"quorum": 1})
    live = small_policy(tmp_path, shadow=["trial.yaml"])
    (shadow,) = live.shadows
    assert shadow.policy_id == "trial"
    assert live.document["shadow"] == [shadow.content_hash]
    document = json.loads(canonical_json(live.document))
    assert shadow_hashes(document) == (shadow.content_hash,)
    again = policy_from_document(document, [policy_from_document(shadow.document)])
    assert [known.content_hash for known in again.shadows] == [shadow.content_hash]
    assert again.content_hash == live.content_hash


def test_a_shadow_that_is_not_the_policys_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidPolicyError, match="'small' given as a shadow is not one of its own"):
        policy_from_document(SHIPPED.document, [small_policy(tmp_path)])


def test_shadows_of_shadows_are_refused_and_their_faults_are_listed_with_their_file(tmp_path: Path) -> None:
    write_policy(tmp_path / "deep.yaml")
    write_policy(tmp_path / "trial.yaml", shadow=["deep.yaml"], version=0)
    found = faults_of(write_policy(tmp_path / "small.yaml", shadow=["trial.yaml"]))
    assert [(fault.file, fault.key) for fault in found] == [
        ("small.yaml", "shadow[0]"),
        ("trial.yaml", "version"),
        ("trial.yaml", "shadow"),
    ]


@pytest.mark.parametrize("document", [{}, {"id": 7}, {"schema": "council.policy/1", "rules": 3}, {"shadow": 7}])
def test_a_record_that_holds_no_policy_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(PoliciesError):
        policy_from_document(document)


def test_a_recorded_policy_may_name_a_signal_that_no_longer_exists() -> None:
    """Its rule then finds the signal missing, and a replay says so loudly instead of not running."""
    document = json.loads(canonical_json(SHIPPED.document))
    document["rules"][0] |= {"when": "long_gone > threshold", "because": "{long_gone}"}
    policy = policy_from_document(document)
    assert policy.content_hash == sha256_hex(canonical_json(document)) != SHIPPED.content_hash
    assert policy.rules.evaluate({})[0].missing == ("long_gone",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=5) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200)
@given(st.data())
def test_whatever_stands_in_a_policy_it_loads_or_is_refused_with_faults(data: st.DataObject) -> None:
    document: Any = json.loads(canonical_json(SHIPPED.document))
    holder: Any = document
    key: Any = data.draw(st.sampled_from(sorted(document)))
    while isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
        holder = holder[key]
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
    holder[key] = data.draw(JSON)
    try:
        policy = policy_from_document(document)
    except InvalidPolicyError as error:
        assert error.faults
    else:
        assert isinstance(policy, Policy)


@settings(max_examples=200)
@given(st.text(alphabet="ab:- \n[]{}#&*!|>'\"?,%@`1.\t", max_size=40))
def test_whatever_is_read_without_fault_is_yaml(text: str) -> None:
    sheet = read_yaml(text, "f.yaml")
    if not sheet.faults:
        yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert all(fault.file == "f.yaml" and fault.message for fault in sheet.faults)


def test_the_catalogue_names_every_signal_once() -> None:
    assert len(CATALOGUE) == len(SIGNALS)
    assert all(spec.low < spec.high for spec in SIGNALS)
    for member in MEMBERS:
        assert all(spec.low <= spec.default <= spec.high for spec in THRESHOLDS[member].values())


def test_key_paths_are_written_as_people_write_them() -> None:
    assert dotted(("rules", 2, "when")) == "rules[2].when"
    assert dotted(()) == ""


@pytest.mark.parametrize("listed", [float("inf"), [float("inf")], None, "x", {"a": 1}, [1]])
def test_a_recorded_policy_whose_shadows_are_no_hashes_is_refused(listed: object) -> None:
    document = {**load_policy(default_policy_path()).document, "shadow": listed}
    with pytest.raises(InvalidPolicyError, match="must be a list of content hashes"):
        policy_from_document(document)
