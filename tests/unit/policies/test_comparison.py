"""`council policy diff`: every key that changed, and whose voting power with it."""

import json
from fractions import Fraction
from pathlib import Path

from policies.canonical import canonical_json
from policies.comparison import Change, WorthChange, compare
from policies.loading import default_policy_path, load_policy, policy_from_document
from policies.verdicts import DECISION_TYPES, MEMBERS
from tests.unit.policies.policy_files import policy_document, small_policy

SHIPPED = load_policy(default_policy_path())


def test_a_policy_does_not_differ_from_itself_or_from_its_record() -> None:
    again = policy_from_document(json.loads(canonical_json(SHIPPED.document)))
    same = compare(SHIPPED, again)
    assert (same.changes, same.power, same.old_hash) == ((), (), same.new_hash)


def test_every_changed_key_is_named_with_its_old_and_new_value(tmp_path: Path) -> None:
    rules = policy_document()["rules"]
    rules[0]["threshold"] = 2
    rules[1] = {"id": "new_rule", "outcome": "modify", "when": "collapse_risk > 1", "because": "b"}
    new = small_policy(tmp_path, version=2, merge={"quorum": "4/5"}, rules=rules, realms={"r": {"mode": "off"}})
    found = {change.key: change for change in compare(small_policy(tmp_path), new).changes}
    assert found.pop("version") == Change("version", 1, 2)
    assert found.pop("merge.quorum") == Change("merge.quorum", "3/5", "4/5")
    assert found.pop("rules.canon_lock.threshold") == Change("rules.canon_lock.threshold", 0, 2)
    assert found.pop("realms.realm-1").new is None
    assert found.pop("realms.r") == Change("realms.r", None, {"mode": "off", "impact_threshold": 60})
    assert found.pop("rules.exploit_suspicion").new is None
    assert found.pop("rules.new_rule").old is None
    assert found == {}


def test_changed_models_and_budgets_are_named_and_what_the_votes_are_worth_with_them(tmp_path: Path) -> None:
    new = small_policy(
        tmp_path,
        models={
            "default": "ollama/x",
            "budgets": {"day_usd": "12.50"},
            "endpoints": {"ollama": {"base_url": "http://10.0.0.7/v1"}},
            "prices": {"ollama/x": {"input": 0, "output": 0}},
        },
    )
    compared = compare(small_policy(tmp_path), new)
    assert compared.changes == (
        Change("models.default", None, "ollama/x"),
        Change("models.budgets.day_usd", "30", "12.5"),
        Change("models.endpoints.ollama.base_url", "http://127.0.0.1:11434/v1", "http://10.0.0.7/v1"),
        Change("models.prices.ollama/x", None, {"input": "0", "cached": "0", "output": "0"}),
    )
    assert compared.worth == WorthChange((Fraction(0),) * 3, (Fraction(5), Fraction(5, 3), Fraction(1)))
    assert compare(new, new).worth is None


def test_the_order_of_rules_is_no_change(tmp_path: Path) -> None:
    rules = list(reversed(policy_document()["rules"]))
    compared = compare(small_policy(tmp_path), small_policy(tmp_path, rules=rules))
    assert compared.changes == ()
    assert compared.old_hash != compared.new_hash


def test_weights_that_change_no_coalition_change_no_power(tmp_path: Path) -> None:
    """Any two of five tighten at 1/3, whether one of them weighs 1 or 5/4: power is what coalitions do."""
    new = small_policy(tmp_path, weights={"impact_dispute": {"lore": "5/4"}})
    compared = compare(small_policy(tmp_path), new)
    assert [change.key for change in compared.changes] == ["weights.impact_dispute"]
    assert compared.power == ()


def test_a_change_of_weight_shows_whose_power_moved(tmp_path: Path) -> None:
    """[2; 2, 1, 1, 1, 1] at 1/3 of 6: lore wins alone and swings every losing coalition without it, {} and four singles.

    Each other swings the 3 singles of the others: 5 + 4 * 3 = 17.
    """
    new = small_policy(tmp_path, weights={"impact_dispute": {"lore": 2}})
    compared = compare(small_policy(tmp_path), new)
    assert {(change.decision_type, change.player) for change in compared.power} == {
        ("impact_dispute", member) for member in MEMBERS
    }
    lore = next(change for change in compared.power if (change.player, change.verdict) == ("lore", "reject"))
    assert lore.old is not None
    assert lore.new is not None
    assert (lore.old.banzhaf_share, lore.new.banzhaf_share) == (Fraction(1, 5), Fraction(5, 17))


def test_a_new_veto_takes_power_from_members_where_rules_are_counted(tmp_path: Path) -> None:
    rule = {"id": "added", "outcome": "quarantine", "when": "collapse_risk > 1", "because": "b"}
    old, new = small_policy(tmp_path), small_policy(tmp_path, rules=[*policy_document()["rules"], rule])
    assert compare(old, new).power == ()
    moved = compare(old, new, with_rules=True).power
    assert {change.decision_type for change in moved} == set(DECISION_TYPES)
    assert all(change.old is None for change in moved if change.player == "added")
    lore = next(change for change in moved if change.player == "lore")
    assert lore.old is not None
    assert lore.new is not None
    assert lore.new.shapley < lore.old.shapley
