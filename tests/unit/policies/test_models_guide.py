"""docs/models.md: its examples run, its lines are read, its prices are those of the shipped policy."""

import doctest
import re
from pathlib import Path

import pytest

from policies.loading import default_policy_path, load_policy
from policies.models_document import KNOWN_ENDPOINTS
from policies.verdicts import ABSTENTIONS

GUIDE = default_policy_path().parents[2] / "docs" / "models.md"
TEXT = GUIDE.read_text(encoding="utf-8")
LINES = re.findall(r"^COUNCIL_MODELS=(\S+)", TEXT, re.MULTILINE)


def test_the_worked_example_computes_what_it_says() -> None:
    result = doctest.testfile(str(GUIDE), module_relative=False)
    assert (result.failed, result.attempted > 5) == (0, True)


@pytest.mark.parametrize("line", LINES)
def test_every_line_that_is_shown_can_be_used(line: str) -> None:
    policy = load_policy(default_policy_path(), line)
    assert (policy.content_hash == load_policy(default_policy_path()).content_hash) == (line == "rules")


def test_there_is_a_line_for_every_known_server() -> None:
    assert {line.partition("/")[0] for line in LINES} >= set(KNOWN_ENDPOINTS)
    assert [str(each["base_url"]) for each in KNOWN_ENDPOINTS.values() if f"`{each['base_url']}`" not in TEXT] == []


def test_the_policy_that_is_shown_can_be_used(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    rest = "schema: council.policy/1\nid: p\nversion: 1\ninvocation: []\nrules: []\nrealms: {'*': {mode: off}}\n"
    others = "".join(f"  {member}: {{}}\n" for member in ("governor", "fairness", "narrative", "risk"))
    (tmp_path / "p.yaml").write_text(rest + shown + others, encoding="utf-8")
    policy = load_policy(tmp_path / "p.yaml")
    asked = {name: seat.model.name for name, seat in policy.members.items() if seat.model is not None}
    assert asked == {**dict.fromkeys(policy.members, "lab/qwen3-8b"), "lore": "openai/gpt-4.1-mini"}


def test_every_kind_of_abstention_by_a_model_is_explained() -> None:
    kinds = set(ABSTENTIONS) - {"no_confidence"}  # a vote of confidence 0, not a failure
    assert [kind for kind in kinds if f"| `{kind}` |" not in TEXT] == []
