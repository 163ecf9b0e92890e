"""Replies: read strictly into a vote, or into none; whatever they hold (L11, L12, L14, L15; council.md, the merge)."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.asking import MAX_RAW, Attempt, Reply, Slot, Usage
from agents.parsing import MAX_REASON, NoVoteError, read_vote, vote_of
from council.modifications import is_applicable
from policies.conditions import apply_modifications
from policies.contracts.effects import FactionDelta, MeterDelta
from policies.verdicts import ABSTENTIONS, VERDICTS, Abstention
from policies.votes import Claim, Modification, Reason, Vote
from tests.unit.agents.member_cases import GAIN, LOSS, TAKE, UNREST, Json, case_of, lock
from tests.unit.agents.questions import (
    RULES,
    bound,
    case_from,
    drop,
    evidence_of,
    finding,
    raw_reply,
    reply,
    set_to,
)
from tests.unit.requests import request_document
from world.case import Case

CASE = case_from(request_document())
EVIDENCE = evidence_of(CASE)
SECRET = "xyzzyplugh"


def read(raw: str, case: Case = CASE) -> Vote:
    return read_vote(raw, "lore", case, EVIDENCE, RULES)


def refused(raw: str, case: Case = CASE) -> tuple[Abstention, str]:
    with pytest.raises(NoVoteError) as caught:
        read(raw, case)
    return caught.value.kind, caught.value.because


def test_a_whole_reply_becomes_a_whole_vote() -> None:
    raw = raw_reply(
        findings=[finding("canon_direct_violations", "one fact is broken"), finding("canon_locks", "one lock")],
        reasoning="Effect 4 breaks the lock.",
        modifications=[drop(4), bound(0, "max", 4.5), bound(2, "min", -3), set_to(4, "object", "sealed")],
        claims=[{"rule": "canon_lock", "evidence": ["canon_direct_violations", "canon_direct_violations"]}],
        verdict="modify",
        confidence=0.8125,
    )
    assert read(raw) == Vote(
        "lore",
        "modify",
        812,
        (
            Reason("Effect 4 breaks the lock.", ("canon_direct_violations", "canon_locks")),
            Reason("one fact is broken", ("canon_direct_violations",)),
            Reason("one lock", ("canon_locks",)),
        ),
        (
            Modification(4, drop=True, because="too much"),
            Modification(0, field="amount", max=45_000, because="too much"),
            Modification(2, field="amount", min=-3_000, because="too much"),
            Modification(4, field="object", value="sealed", because="too much"),
        ),
        "model",
        None,
        (Claim("canon_lock", ("canon_direct_violations",)),),
    )


@pytest.mark.parametrize(
    ("said", "permille"),
    [("0", 0), ("1", 1000), ("1.0", 1000), ("0.0005", 0), ("0.0015", 2), ("0.85", 850), ("1e-9", 0), ("0.9995", 1000)],
)
def test_confidence_is_read_in_permille_with_halves_to_even(said: str, permille: int) -> None:
    assert read(raw_reply().replace("0.75", said)).confidence == permille


GOOD = raw_reply()
NOT_JSON = "the reply is not one strict JSON object: "


@pytest.mark.parametrize(
    ("raw", "because"),
    [
        ("", "the model said nothing"),
        (" \n ", "the model said nothing"),
        ("I'm sorry, I can't help with that.", "not valid JSON at line 1 column 1: expecting value"),
        (f"```json\n{GOOD}\n```", "not valid JSON at line 1 column 1: expecting value"),
        (f"Here it is: {GOOD}", "not valid JSON at line 1 column 1: expecting value"),
        (f"{GOOD}\nApproved.", "not valid JSON at line 2 column 1: extra data"),
        (GOOD + GOOD, f"not valid JSON at line 1 column {len(GOOD) + 1}: extra data"),
        (GOOD[:-1], f"not valid JSON at line 1 column {len(GOOD)}: expecting ',' delimiter"),
        (GOOD.replace('"verdict"', '"verdict": "reject", "verdict"'), "an object repeats a key"),
        (GOOD.replace('"says"', '"says": "", "says"'), "an object repeats a key"),
        (GOOD.replace("0.75", "NaN"), "NaN and infinities are not JSON numbers"),
        (GOOD.replace("0.75", "1e999"), "a number is too large"),
        ("1e999", "a number is too large"),
        (GOOD.replace("0.75", "9007199254740993"), "an integer is beyond 2^53"),
        (GOOD.replace("Nothing", "\\ud800"), "a string holds half a surrogate pair"),
        (GOOD.replace("Nothing", "\ud800"), f"not UTF-8 at byte {GOOD.index('Nothing')}"),
        ("[" * 50_000, "nested deeper than 24 levels"),
        ('{"a":' * 30 + "1" + "}" * 30, "nested deeper than 24 levels"),
        (raw_reply(reasoning="x" * MAX_RAW), f"document is larger than {MAX_RAW} bytes"),
        (GOOD.replace("Nothing", "\u4e00" * 30_000), f"document is larger than {MAX_RAW} bytes"),
        ("\ufeff" + GOOD, "not valid JSON at line 1 column 1: unexpected utf-8 bom (decode using utf-8-sig)"),
    ],
)
def test_what_is_not_one_strict_json_object_is_unparsed(raw: str, because: str) -> None:
    """L14 and L15: nothing is repaired, picked out of prose, or taken from the last of two keys."""
    kind, said = refused(raw)
    assert (kind, said.removeprefix(NOT_JSON)) == ("unparsed", because)


LEFT = {name: value for name, value in reply().items() if name != "claims"}
NOT_ITS_FIELDS = (
    "the reply does not have exactly the fields findings, reasoning, modifications, claims, verdict, confidence"
)
NO_SUCH_SIGNAL = "a finding cites a signal that this case does not have"
NOT_CITED = "a claim does not cite signals that this case has"


def claiming(rule: str, evidence: Any) -> str:
    return raw_reply(claims=[{"rule": rule, "evidence": evidence}])


@pytest.mark.parametrize(
    ("raw", "because"),
    [
        ("[]", "the reply is not an object"),
        ("17", "the reply is not an object"),
        ("null", "the reply is not an object"),
        (f"[{GOOD}]", "the reply is not an object"),
        ("{}", NOT_ITS_FIELDS),
        (json.dumps(LEFT), NOT_ITS_FIELDS),
        (raw_reply(note="x"), NOT_ITS_FIELDS),
        (raw_reply(verdict="abstain"), "verdict is not one of approve, modify, reject, quarantine"),
        (raw_reply(verdict="Approve"), "verdict is not one of approve, modify, reject, quarantine"),
        (raw_reply(verdict=["approve"]), "verdict is not one of approve, modify, reject, quarantine"),
        (raw_reply(verdict=None), "verdict is not one of approve, modify, reject, quarantine"),
        (raw_reply(confidence="0.9"), "confidence is not a number from 0 to 1"),
        (raw_reply(confidence=True), "confidence is not a number from 0 to 1"),
        (raw_reply(confidence=1.0001), "confidence is not a number from 0 to 1"),
        (raw_reply(confidence=-0.1), "confidence is not a number from 0 to 1"),
        (raw_reply(confidence=85), "confidence is not a number from 0 to 1"),
        (raw_reply(confidence=None), "confidence is not a number from 0 to 1"),
        (raw_reply(reasoning=""), "reasoning has no text"),
        (raw_reply(reasoning="\u200b \n"), "reasoning has no text"),
        (raw_reply(reasoning=["a"]), "reasoning has no text"),
        (raw_reply(findings={}), "findings is not a list"),
        (raw_reply(findings=[finding()] * 8), "findings has more than 7 items"),
        (raw_reply(findings=["canon_locks"]), "a finding is not an object"),
        (raw_reply(findings=[finding("user_count_total")]), NO_SUCH_SIGNAL),
        (raw_reply(findings=[finding() | {"evidence": ["canon_locks"]}]), NO_SUCH_SIGNAL),
        (raw_reply(findings=[finding(says=" ")]), "a finding has no text"),
        (raw_reply(findings=[finding() | {"weight": 1}]), "a finding does not have exactly the fields evidence, says"),
        (claiming("no_such_rule", ["canon_locks"]), "a claim names a rule that the policy does not have"),
        (claiming("canon_lock", ["no_such"]), NOT_CITED),
        (claiming("canon_lock", []), NOT_CITED),
        (claiming("canon_lock", "canon_locks"), "a claim's evidence is not a list"),
        (claiming("canon_lock", [["canon_locks"]]), NOT_CITED),
        (raw_reply(verdict="modify"), "a modify vote asks for no modification"),
        (raw_reply(modifications=[drop()]), "an approve vote asks for modifications"),
    ],
)  # fmt: skip
def test_what_has_another_form_is_off_schema(raw: str, because: str) -> None:
    """L14: types are not coerced, fields not defaulted, words outside their enum not mapped to the nearest."""
    assert refused(raw) == ("off_schema", because)


@pytest.mark.parametrize(
    ("item", "because"),
    [
        (drop(5), "names an effect that the change does not have"),
        (drop(-1), "names an effect that the change does not have"),
        (drop() | {"effect": True}, "has a field of the wrong form"),
        (drop() | {"effect": 0.5}, "has a field of the wrong form"),
        (drop() | {"action": "delete"}, "has a field of the wrong form"),
        (drop() | {"action": ["drop"]}, "has a field of the wrong form"),
        (drop() | {"because": None}, "has a field of the wrong form"),
        (drop() | {"bound": 3}, "drops an effect and changes it too"),
        (bound(0, "max", 3) | {"field": "faction_id"}, "names a field that cannot be changed"),
        (bound(0, "max", 3) | {"field": None}, "bounds a field that is no amount"),
        (bound(1, "max", 3), "bounds a field that is no amount"),
        (bound(0, "max", 3) | {"bound": "3"}, "has a bound that is no number"),
        (bound(0, "max", 3) | {"bound": True}, "has a bound that is no number"),
        (bound(0, "max", 3) | {"bound": None}, "bounds an amount without exactly one bound"),
        (bound(0, "max", 3) | {"value": "3"}, "bounds an amount without exactly one bound"),
        (bound(0, "max", 101), "has a bound outside -100 to 100"),
        (bound(0, "max", 12), "has a bound that does not bring the amount nearer to zero"),
        (bound(0, "max", 12.00001), "has a bound that does not bring the amount nearer to zero"),
        (bound(0, "max", -1), "has a bound that does not bring the amount nearer to zero"),
        (bound(0, "min", 50), "has a bound that does not bring the amount nearer to zero"),
        (bound(2, "min", -8), "has a bound that does not bring the amount nearer to zero"),
        (bound(2, "max", -20), "has a bound that does not bring the amount nearer to zero"),
        (bound(2, "min", 5), "has a bound that does not bring the amount nearer to zero"),
        (set_to(4, "object", "ajar"), "sets a value that no lock of the request names"),
        (set_to(4, "object", "sealed") | {"bound": 1}, "sets a field without exactly one value"),
        (set_to(4, "object", "sealed") | {"value": None}, "sets a field without exactly one value"),
        (set_to(4, "object", "sealed") | {"value": 7}, "has a value that is no text"),
        (set_to(4, "to", "veil"), "sets a field that the effect does not have"),
        (set_to(1, "to", "veil"), "sets a value that no lock of the request names"),
        (set_to(3, "object", "fired"), "sets a field that the effect does not have"),
        (set_to(0, "amount", "3"), "sets a field that the effect does not have"),
    ],
)  # fmt: skip
def test_a_modification_that_the_effect_cannot_bear_is_off_schema(item: Json, because: str) -> None:
    assert refused(raw_reply(verdict="modify", modifications=[drop(), item])) == (
        "off_schema",
        f"a modification {because}",
    )


def test_a_territory_may_go_to_whom_a_lock_names_if_the_snapshot_knows_them() -> None:
    locks = [
        lock("immutable", "t-3", "owner", "veil", id="a"),
        lock("forbidden_assertion", "t-3", "controller", "free_cities", id="b"),
        lock("immutable", "t-3", "controller", "the_sea", id="c"),
    ]
    case = case_of([TAKE], lore_constraints=locks)
    read(raw_reply(verdict="modify", modifications=[set_to(0, "to", "veil")]), case)
    for name in ("free_cities", "the_sea", "empire"):
        raw = raw_reply(verdict="modify", modifications=[set_to(0, "to", name)])
        assert refused(raw, case) == ("off_schema", "a modification sets a value that no lock of the request names")


def test_a_value_is_written_as_the_lock_writes_it_even_where_the_prompt_showed_a_cleaner_copy() -> None:
    document = request_document()
    document["lore_constraints"][1]["object"] = "sea\u200bled  shut"
    vote = read(raw_reply(verdict="modify", modifications=[set_to(4, "object", "sealed shut")]), case_from(document))
    assert vote.modifications[0].value == "sea\u200bled  shut"


AMOUNTS = st.integers(-10_000, 10_000).map(lambda cents: cents / 100)


@given(
    gain=AMOUNTS, harm=AMOUNTS, first=AMOUNTS, second=AMOUNTS, actions=st.tuples(*[st.sampled_from(["max", "min"])] * 2)
)
@settings(max_examples=400)
def test_whatever_a_model_asks_for_the_change_only_grows_smaller(
    gain: float, harm: float, first: float, second: float, actions: tuple[str, str]
) -> None:
    """A text that talks a model into anything cannot win more than the request asked for (injection 2)."""
    case = case_of([GAIN | {"amount": gain}, LOSS, UNREST | {"amount": harm}, TAKE])
    asked = [bound(0, actions[0], first), bound(2, actions[1], second)]
    try:
        vote = read(raw_reply(verdict="modify", modifications=asked), case)
    except NoVoteError as error:
        assert error.kind == "off_schema"
        return
    assert all(is_applicable(each, case.effects) for each in vote.modifications)
    left, _ = apply_modifications(case.effects, vote.modifications)
    for before, after in zip(case.effects, left, strict=True):
        if isinstance(before, FactionDelta | MeterDelta) and isinstance(after, FactionDelta | MeterDelta):
            assert abs(after.amount) <= abs(before.amount)
            assert after.amount * before.amount >= 0
    assert abs(left[0].amount) < abs(gain)  # type: ignore[union-attr]


def test_what_a_model_writes_is_kept_visible_in_one_line_and_short() -> None:
    vote = read(
        raw_reply(reasoning="a\u202e b\n\tc\x00\U000e0041", findings=[finding(says="x" * 401), finding(says="y" * 400)])
    )
    assert [reason.text for reason in vote.reasons] == ["a b c", "x" * MAX_REASON + "…", "y" * 400]


def replied(raw: str | None, failed: Abstention | None = None, because: str = "") -> Reply:
    attempts = (Attempt("{", "unparsed", "half a reply", 5), Attempt(raw, failed, because, 7))
    return Reply(Slot("lore", 1), "lore/1", "0", "local/m-1", {}, "1", attempts, failed, because, Usage(), 0, True, 12)


def test_the_last_attempt_is_read_into_the_vote() -> None:
    assert vote_of(replied(GOOD), CASE, EVIDENCE, RULES) == read(GOOD)


@pytest.mark.parametrize("kind", ABSTENTIONS)
def test_a_reply_that_failed_is_an_abstention_of_its_kind_whatever_was_received(kind: Abstention) -> None:
    vote = vote_of(replied(GOOD, kind, "it failed"), CASE, EVIDENCE, RULES)
    assert vote == Vote("lore", None, 0, (Reason("it failed"),), (), "model", kind)


@pytest.mark.parametrize(
    ("answer", "kind", "because"),
    [
        (replied("approve"), "unparsed", f"{NOT_JSON}not valid JSON at line 1 column 1: expecting value"),
        (replied("{}{}"), "unparsed", f"{NOT_JSON}not valid JSON at line 1 column 3: extra data"),
        (replied(raw_reply(confidence=2)), "off_schema", "confidence is not a number from 0 to 1"),
        (replied(None), "unparsed", "the model said nothing"),
        (replied(GOOD)._replace(attempts=()), "unparsed", "the model said nothing"),
    ],
)
def test_a_recorded_reply_that_is_no_vote_today_is_an_abstention(answer: Reply, kind: Abstention, because: str) -> None:
    assert vote_of(answer, CASE, EVIDENCE, RULES) == Vote("lore", None, 0, (Reason(because),), (), "model", kind)


ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.5, 1.5, -0.0, 1e308, 5e-324, 2**53, -(2**53) + 1, 12, -8, 4),
    *(
        "",
        "approve",
        "quarantine",
        "drop",
        "max",
        "amount",
        "canon_locks",
        "canon_lock",
        SECRET,
        "\u202e",
        "\x00",
        "0.9",
        "NaN",
    ),
    *([], {}, [[]], [None], {"a": 1}, [{}]),
)
GLUE = (
    "",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "\\u",
    "NaN",
    "1e999",
    "-",
    "```",
    "\n",
    "\ud800",
    "\ufeff",
    "null",
    SECRET,
)


def full_reply() -> Json:
    return reply(
        findings=[finding(), finding("canon_text_locks")],
        modifications=[drop(4), bound(0, "max", 4), bound(2, "min", -1)],
        claims=[{"rule": "canon_lock", "evidence": ["canon_locks"]}],
        verdict="modify",
    )


def mutated(rng: random.Random, value: Any) -> Any:
    """One thing of a reply replaced, removed, doubled or renamed, anywhere in it."""
    if rng.random() < 0.25 or not isinstance(value, dict | list) or not value:
        return rng.choice(ODD)
    if isinstance(value, list):
        at = rng.randrange(len(value))
        changes: tuple[Callable[[], Any], ...] = (
            lambda: value[:at] + value[at + 1 :],
            lambda: value[: at + 1] * rng.choice([2, 70]),
            lambda: [*value[:at], mutated(rng, value[at]), *value[at + 1 :]],
        )
        return rng.choice(changes)()
    key = rng.choice(list(value))
    rest = {name: each for name, each in value.items() if name != key}
    edits: tuple[Callable[[], Any], ...] = (
        lambda: rest,
        lambda: rest | {rng.choice(["x", key.upper(), "effect"]): value[key]},
        lambda: value | {key: mutated(rng, value[key])},
        lambda: value | {key: mutated(rng, value[key])},
        lambda: value | {key: rng.choice([0, 0.1, 0.333, 1, -1, 1.01, "approve", "reject", None])},
    )
    return rng.choice(edits)()


def random_reply(rng: random.Random) -> str:
    """A reply that a broken, lying or hijacked model might send: near a valid one, far from it, or no JSON at all."""
    value: Any = full_reply() if rng.random() < 0.5 else reply()
    for _ in range(rng.randrange(3)):
        value = mutated(rng, value)
    raw = json.dumps(value, ensure_ascii=rng.random() < 0.5)
    kind = rng.random()
    if kind < 0.6:
        return raw
    at, to = sorted([rng.randrange(len(raw) + 1), rng.randrange(len(raw) + 1)])
    if kind < 0.8:
        return raw[:at] + rng.choice(GLUE) + raw[at:]
    if kind < 0.9:
        return raw[:at] + raw[to:]
    return "".join(rng.choices(GLUE, k=rng.randrange(12))) + raw[at:to]


@pytest.mark.slow
def test_whatever_100_000_random_replies_hold_a_vote_is_within_the_enum_and_the_range() -> None:
    """L14, L15: and nothing but NoVoteError is ever raised, and no reason repeats a reply that was refused."""
    rng = random.Random(20_261_120)
    votes = 0
    for _ in range(100_000):
        raw = random_reply(rng)
        try:
            vote = read(raw)
        except NoVoteError as error:
            assert error.kind in ("unparsed", "off_schema")
            assert error.because
            assert SECRET not in error.because
            continue
        votes += 1
        assert vote.verdict in VERDICTS
        assert type(vote.confidence) is int
        assert 0 <= vote.confidence <= 1000
        assert vote.source == "model"
        assert vote.abstained is None
        assert 0 < len(vote.reasons) <= 8
        assert all(0 < len(reason.text) <= MAX_REASON + 1 for reason in vote.reasons)
        assert all(is_applicable(each, CASE.effects) for each in vote.modifications)
        assert bool(vote.modifications) or vote.verdict != "modify"
    assert 20_000 < votes < 80_000, "the replies are neither all good nor all bad"


@given(st.text() | st.binary().map(lambda data: data.decode("utf-8", "surrogateescape")))
@settings(max_examples=300)
def test_any_text_at_all_is_read_or_refused(raw: str) -> None:
    kind, because = refused(raw)
    assert kind in ("unparsed", "off_schema")
    assert because
