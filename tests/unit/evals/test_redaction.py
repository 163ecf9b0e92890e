"""Redaction: nobody is left in the bytes, equal names stay equal, and verdicts come out the same (issue 4, item 1)."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.asking import Reply, Slot
from council.review import deliberate
from evals.decisions import Decision, Label, Outcome
from evals.export_lines import Redaction, decision_line
from evals.pseudonyms import Pseudonyms
from evals.redacted_replies import quiet_reply
from evals.redaction import METHOD, Redactor
from evals.rejudging import Rejudged, rejudge
from policies.contracts.reading import ReadRequest, validate_request
from tests.unit.council.scripted import model_policy, raw_vote, reply_with
from tests.unit.evals.recorded import AT, example_requests, recorded, shipped
from world.case import open_case

KEY = b"a key of thirty-two bytes, fixed"
PLAIN = Redaction(METHOD, "dropped", "kept")
STRICT = Redaction(METHOD, "dropped", "replaced")
REDACTOR = Redactor(KEY, PLAIN)
SECRET = "sekrit"
_IDS = ("user_id", "device_id", "session_id", "story_id", "chapter_id", "event_id")


def marked_requests() -> dict[str, dict[str, Any]]:
    """Return the examples with every id and text of a player marked by one word that nothing else holds."""
    requests = copy.deepcopy(example_requests())
    for name, request in requests.items():
        request["request_id"] = f"{SECRET}-{name[:2]}"
        request["correlation_id"] = f"{SECRET}-c"
        change = request["proposed_change"]
        change["narrative"] = f"{SECRET} rides out. {change.get('narrative', '')}"
        if (change.get("actor") or {}).get("user_id"):
            change["actor"]["user_id"] = f"{SECRET}.{change['actor']['user_id']}"
        for event in request.get("supporting_events", []):
            for key in _IDS:
                if event.get(key) is not None:
                    event[key] = f"{SECRET}.{event[key]}"
            event["note"] = f"I, {SECRET}, did it"
            event["evidence"] = {
                **event.get("evidence", {}),
                "household_id": f"{SECRET}-home",
                "said": {f"{SECRET} key": [f"a word of {SECRET}", 1]},
                f"{SECRET} named this": True,
            }
        request["risk_flags"] = [
            {"code": "report", "severity": 0.1, "note": f"{SECRET} was reported", "subject": f"{SECRET}.u"},
        ]
    return requests


MARKED = recorded(marked_requests())


@pytest.mark.parametrize("decision", MARKED, ids=lambda each: each.record["decision_id"])
def test_no_id_and_no_text_of_a_player_is_left_in_the_bytes(decision: Decision) -> None:
    said = decision.record["request_key"]
    marked = Decision(
        {**decision.record, "request_key": f"{SECRET}-{said}", "correlation_id": f"{SECRET}-c"},
        1,
        decision.hash,
        decision.previous,
        (Label(f"{SECRET} the labeller", "reject", AT, "exploit", f"{SECRET} cheats"),),
        (Outcome(f"{SECRET} of support", f"taken from {SECRET}.u-nhat, {SECRET}-c", AT, f"{SECRET} again"),),
    )
    assert SECRET.encode() in decision_line(marked)
    redacted = REDACTOR.redact(marked)
    line = decision_line(redacted)
    assert SECRET.encode() not in line
    assert decision.hash.encode() not in line
    assert decision.record["fingerprint"].encode() not in line


def test_summaries_go_where_that_is_asked() -> None:
    for decision in recorded():
        summary = decision.record["request"]["proposed_change"]["summary"]
        assert REDACTOR.redact(decision).record["request"]["proposed_change"]["summary"] == summary
        assert orjson.dumps(summary)[1:-1] not in decision_line(Redactor(KEY, STRICT).redact(decision))


@pytest.mark.parametrize("redaction", [PLAIN, STRICT], ids=["summaries kept", "summaries replaced"])
def test_the_shipped_examples_come_out_the_same_without_the_people_in_them(redaction: Redaction) -> None:
    redactor = Redactor(KEY, redaction)
    for decision in recorded():
        again = rejudge(redactor.redact(decision), shipped(), shipped())
        assert isinstance(again, Rejudged)
        assert (again.verdict, again.path) == (decision.verdict, decision.path)


def test_a_redacted_request_is_still_a_valid_one() -> None:
    for decision in MARKED:
        validate_request(REDACTOR.redact(decision).record["request"])


def test_accounts_that_shared_a_device_still_do() -> None:
    """Example 08: six claims from one device (rows S0-52, S0-53)."""
    (decision,) = recorded({"08": example_requests()["08-six-claims-from-one-device"]})
    before = decision.record["request"]["supporting_events"]
    after = REDACTOR.redact(decision).record["request"]["supporting_events"]
    for key in _IDS:
        mine = [event.get(key) for event in before]
        theirs = [event.get(key) for event in after]
        assert [mine.index(each) for each in mine] == [theirs.index(each) for each in theirs]
    for kept in ("base_points", "created_at", "action_type", "faction_id"):
        assert [event.get(kept) for event in before] == [event.get(kept) for event in after]


def test_an_id_has_one_pseudonym_wherever_it_stands() -> None:
    (decision,) = recorded({"one": example_requests()["09-goldmark-buys-the-borderlands"]})
    request = decision.record["request"]
    user = request["supporting_events"][0]["user_id"]
    told = Decision({**decision.record, "rules": [{"because": f"most of it is {user}'s, and {user}x is another"}]}, 1)
    redacted = REDACTOR.redact(told).record
    name = redacted["request"]["supporting_events"][0]["user_id"]
    assert redacted["rules"] == [{"because": f"most of it is {name}'s, and {user}x is another"}]


def test_somebody_called_like_a_faction_does_not_rename_the_faction() -> None:
    request = copy.deepcopy(example_requests()["09-goldmark-buys-the-borderlands"])
    request["supporting_events"][0]["user_id"] = "empire"
    (decision,) = recorded({"one": request})
    redacted = REDACTOR.redact(decision).record["request"]
    assert redacted["world_snapshot"] == request["world_snapshot"]
    assert redacted["supporting_events"][0]["user_id"] != "empire"
    assert redacted["proposed_change"]["effects"] == decision.record["request"]["proposed_change"]["effects"]


def test_a_player_whom_the_canon_names_has_one_pseudonym_there_too() -> None:
    request = copy.deepcopy(example_requests()["09-goldmark-buys-the-borderlands"])
    user = request["supporting_events"][0]["user_id"]
    request["proposed_change"]["effects"] = [
        {"op": "canon_assert", "subject": user, "predicate": "status", "object": "legend"}
    ]
    request["lore_constraints"] = [{"id": "l-1", "mode": "immutable", "subject": user, "predicate": "status"}]
    (decision,) = recorded({"one": request})
    shown = REDACTOR.redact(decision)
    redacted = shown.record["request"]
    name = redacted["supporting_events"][0]["user_id"]
    assert redacted["proposed_change"]["effects"][0]["subject"] == redacted["lore_constraints"][0]["subject"] == name
    assert user.encode() not in decision_line(shown)
    again = rejudge(shown, shipped(), shipped())
    assert isinstance(again, Rejudged)
    assert again.verdict == decision.verdict == "reject"


def test_outcomes_in_common_words_stay() -> None:
    (decision,) = recorded({"one": example_requests()["09-goldmark-buys-the-borderlands"]})
    outcomes = (Outcome("ana", "reverted on appeal", AT), Outcome("ana", "ana took it back", AT))
    shown = REDACTOR.redact(Decision(decision.record, 1, outcomes=outcomes)).outcomes
    assert shown[0].outcome == "reverted on appeal"
    assert "ana" not in shown[1].outcome
    assert shown[0].reporter == shown[1].reporter != "ana"


def test_the_closed_vocabulary_of_facts_stays_and_long_numbers_do_not() -> None:
    request = copy.deepcopy(example_requests()["09-goldmark-buys-the-borderlands"])
    facts = {"stakes": "realm", "risk": 3, "is_raid": True, "phone": 4155550123, "mood": "angry", "empty": ""}
    request["supporting_events"][0]["evidence"] = facts
    (decision,) = recorded({"one": request})
    kept = REDACTOR.redact(decision).record["request"]["supporting_events"][0]["evidence"]
    assert {name: kept[name] for name in ("stakes", "risk", "is_raid", "empty")} == {
        "stakes": "realm",
        "risk": 3,
        "is_raid": True,
        "empty": "",
    }
    assert re.fullmatch("p-[0-9a-f]{20}", kept["phone"])
    assert re.fullmatch("p-[0-9a-f]{20}", kept["mood"])


def _heard(raw: str) -> Iterator[Decision]:
    """Decide the examples with models that all write the same."""
    policy = model_policy()

    def said(read: ReadRequest) -> Mapping[Slot, Reply]:
        realm = policy.realm(read.request.realm_id)
        assert realm is not None
        review = deliberate(open_case(read.request), policy, realm)
        if review.is_fast:
            return {}
        return {
            question.slot: reply_with(question.slot, raw)
            for member in review.asked
            for question in review.questions(member)
        }

    yield from [decision for decision in recorded(policy=policy, said=said) if "models" in decision.record]


@pytest.mark.parametrize("verdict", ["approve", "modify", "reject"])
def test_models_sentences_go_and_their_votes_stay(verdict: str) -> None:
    policy = model_policy()
    raw = raw_vote(verdict, reasoning=f"{SECRET} asked for it", findings=[])
    decisions = list(_heard(raw))
    assert len(decisions) > 5
    for decision in decisions:
        assert SECRET.encode() in decision_line(decision)
        redacted = REDACTOR.redact(decision)
        assert SECRET.encode() not in decision_line(redacted)
        again = rejudge(redacted, policy, policy)
        assert isinstance(again, Rejudged)
        assert again.verdict == decision.verdict


def test_replies_are_kept_where_that_is_asked_without_the_names_in_them() -> None:
    decision = next(_heard(raw_vote("reject", reasoning="as far as one can see, u-nhat is right")))
    user = decision.record["request"]["supporting_events"][0]["user_id"]
    raw = raw_vote("reject", reasoning=f"as far as one can see, {user} is right")
    decision = next(_heard(raw))
    redacted = Redactor(KEY, Redaction(METHOD, "kept", "kept")).redact(decision)
    name = redacted.record["request"]["supporting_events"][0]["user_id"]
    shown = json.loads(redacted.record["models"]["replies"][0]["attempts"][0]["raw"])
    assert shown["reasoning"] == f"as far as one can see, {name} is right"
    assert user.encode() not in decision_line(redacted)


@pytest.mark.parametrize(
    ("raw", "quiet"),
    [
        ("prose of sekrit", ""),
        ('"sekrit"', '"!"'),
        ('{"verdict": "sekrit says so", "sekrit": "x"}', '{"verdict":"!","left_out_1":"!"}'),
        ('{"verdict": "approve", "confidence": 0.5}', '{"verdict":"approve","confidence":0.5}'),
        (
            '{"findings": [{"evidence": "hhi_star", "says": "sekrit"}]}',
            '{"findings":[{"evidence":"hhi_star","says":"!"}]}',
        ),
        ('{"modifications": [{"value": "u-sekrit"}]}', '{"modifications":[{"value":"?"}]}'),
    ],
)
def test_a_reply_keeps_its_vote_and_nothing_else(raw: str, quiet: str) -> None:
    assert quiet_reply(raw, lambda _: "!", lambda _: "?") == quiet


def test_the_same_key_gives_the_same_pseudonyms_and_another_key_others() -> None:
    (decision,) = recorded({"one": example_requests()["09-goldmark-buys-the-borderlands"]})
    assert REDACTOR.redact(decision) == Redactor(KEY, PLAIN).redact(decision)
    other = Redactor(b"another key of enough bytes", PLAIN).redact(decision)
    assert (
        other.record["request"]["supporting_events"] != REDACTOR.redact(decision).record["request"]["supporting_events"]
    )


def test_a_key_that_can_be_tried_out_is_refused() -> None:
    with pytest.raises(ValueError, match="can be tried out"):
        Pseudonyms(b"short")


@given(st.text(max_size=400))
def test_a_text_keeps_its_length_and_says_nothing(text: str) -> None:
    """Length is a signal (`prose_length`), so it stays; the words are syllables drawn by the keyed hash."""
    stand_in = Pseudonyms(KEY).text(text)
    assert len(stand_in) == len(text)
    assert re.fullmatch("[a-z ]*", stand_in)
    assert stand_in == Pseudonyms(KEY).text(text)


@given(st.lists(st.text(min_size=1), unique=True, min_size=2, max_size=20))
def test_different_names_have_different_pseudonyms(names: list[str]) -> None:
    assert len({Pseudonyms(KEY).name(name) for name in names}) == len(names)
