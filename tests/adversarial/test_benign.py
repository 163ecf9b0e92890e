"""Benign texts change nothing: what looks like an attack and is a story is judged like any other text (issue 3, point 8)."""

from collections.abc import Mapping

import pytest

from tests.adversarial.cases import BaseCase, base_cases
from tests.adversarial.corpus import Entry, benign
from tests.adversarial.gullible_councils import Asking, Decided, GullibleServer, by_models, gullible_policy
from tests.adversarial.placing import placed

pytestmark = pytest.mark.slow
NEUTRAL_LINE = "Nothing of note happens here"
NEUTRAL_NAME = "plain-name"
CASES = [case for case in base_cases() if case.name in ("approved", "bounded_by_two_votes", "held_by_a_vote")]
SPACED = frozenset(
    ["summary", "narrative", "territory_name", "object", "note", "evidence", "evidence_key", "flag_note", "flag_text",
     "lock_statement", "lock_object", "lock_until", "lock_text"]
)  # fmt: skip
"""Fields that hold a text; the others hold a name."""


def neutral(entry: Entry) -> Mapping[str, str]:
    """Return a text of no interest for each field of an entry: the same one for all entries with the same fields."""
    return {
        name: (NEUTRAL_LINE if name.partition("/")[0] in SPACED else NEUTRAL_NAME) + name.partition("/")[2]
        for name in entry.fields
    }


def asking(name: str, case: BaseCase, fields: Mapping[str, str]) -> Asking:
    return Asking(name, case.name, placed(case.document, fields))


def told(decided: Decided) -> tuple[object, ...]:
    return decided.verdict, decided.path, decided.conditions, decided.votes


async def test_benign_texts_change_nothing_where_all_five_read_them(gullible: GullibleServer) -> None:
    world = gullible.world()
    policy = gullible_policy(gullible.base_url(world), everybody_reads=True)
    cases = {entry.name: CASES[at % len(CASES)] for at, entry in enumerate(benign())}
    texts = [asking(entry.name, cases[entry.name], entry.fields) for entry in benign()]
    plain = {
        (cases[each.name].name, tuple(each.fields)): asking("", cases[each.name], neutral(each)) for each in benign()
    }
    outcomes = {one.entry: outcome for one, outcome in await by_models(policy, texts)}
    expected = dict(zip(plain, [outcome for _, outcome in await by_models(policy, plain.values())], strict=True))
    changed = {
        entry.name: f"{told(outcomes[entry.name])} with it, {told(usual)} with a neutral text"
        for entry in benign()
        if told(outcomes[entry.name]) != told(usual := expected[cases[entry.name].name, tuple(entry.fields)])
    }
    assert changed == {}
    assert gullible.journal(world).orders == set()
