"""Exports: what is written comes back as it was, and what is not whole is refused by name (issue 4, items 1 and bad input)."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from council.ledger.chain import GENESIS, link_hash
from council.ledger.memory import MemoryLedger
from council.shelf import PolicyMissingError
from evals.decisions import AXES, Decision, Label, Outcome
from evals.errors import EvalsError, FileFault, InvalidFileError
from evals.export_check import ExportCheck
from evals.export_lines import ExportCounts, ExportHeader, Redaction, body_bytes, decision_line, end_line, header_line
from evals.exporting import export_ledger
from evals.exports import open_export
from evals.remarks import label_remark, outcome_remark
from policies.canonical import canonical_json, sha256_hex
from policies.loading import load_policy
from policies.verdicts import VERDICTS
from tests.unit.cli.ledger_doubles import new_record
from tests.unit.evals.exported import export_lines, write_export
from tests.unit.evals.recorded import AT, example_requests, label, recorded, shipped

AGAIN = "export it again: council export FILE"
DECISIONS = recorded(labels={"09-goldmark-buys-the-borderlands": [label("reject"), label("modify", "ben")]})
LINES = export_lines(DECISIONS)
FIRST = 3
"""Line number of the first decision: header and policy stand before it."""


def read(lines: list[bytes]) -> list[Decision]:
    check = ExportCheck("out.jsonl")
    found = [decision for line in lines if (decision := check.feed(line)) is not None]
    check.finish()
    return found


def fault_of(lines: list[bytes]) -> FileFault:
    with pytest.raises(InvalidFileError) as caught:
        read(lines)
    (fault,) = caught.value.faults
    return fault


def edited(number: int, edit: Callable[[dict[str, Any]], object], lines: list[bytes] = LINES) -> list[bytes]:
    """Return the lines with one of them, counted from 1, changed in place."""
    document = orjson.loads(lines[number - 1])
    edit(document)
    return [*lines[: number - 1], orjson.dumps(document), *lines[number:]]


def test_decisions_come_back_as_they_were_written() -> None:
    assert read(LINES) == DECISIONS


def test_reading_and_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    opened = open_export(write_export(tmp_path / "out.jsonl", LINES))
    decisions = list(opened)
    again = export_lines(decisions, list(opened.policies.values()), opened.header)
    assert write_export(tmp_path / "again.jsonl", again).read_bytes() == opened.path.read_bytes()


def test_the_policies_that_decided_are_at_hand_once_they_have_come_by(tmp_path: Path) -> None:
    opened = open_export(write_export(tmp_path / "out.jsonl", LINES))
    assert opened.policy(shipped().content_hash) is None
    for decision in opened:
        policy = opened.policy(decision.policy_hash)
        assert policy is not None
        assert policy.content_hash == shipped().content_hash
        assert policy.weights == shipped().weights
    assert list(opened.policies) == [shipped().content_hash]


def test_an_export_is_read_as_often_as_wanted(tmp_path: Path) -> None:
    opened = open_export(write_export(tmp_path / "out.jsonl", LINES))
    assert list(opened) == list(opened)
    assert [number for number, _ in opened.raw_lines()] == list(range(1, len(LINES) + 1))
    assert [line for _, line in opened.raw_lines()] == LINES


def _ledger(decisions: list[Decision], documents: dict[str, bytes]) -> MemoryLedger:
    ledger = MemoryLedger()

    async def fill() -> None:
        for content_hash, document in documents.items():
            await ledger.put_policy(content_hash, document)
        for decision in decisions:
            await ledger.append(new_record(dict(decision.record)))
            await ledger.add_remarks([label_remark(decision.decision_id, each) for each in decision.labels])
            await ledger.add_remarks([outcome_remark(decision.decision_id, each) for each in decision.outcomes])

    asyncio.run(fill())
    return ledger


def _exported(ledger: MemoryLedger, header: ExportHeader | None = None) -> list[bytes]:
    lines: list[bytes] = []
    asyncio.run(export_ledger(ledger, header or ExportHeader(), lines.append, lambda: None))
    return lines


def test_a_ledger_is_exported_with_its_policies_labels_and_outcomes_and_the_very_bytes_of_its_records() -> None:
    outcome = Outcome("support", "reverted", AT, "the player appealed")
    decisions = [DECISIONS[0], *recorded({"late": example_requests()["02-lamps-for-the-third-ring"]})]
    first = Decision(decisions[0].record, 1, decisions[0].hash, GENESIS, (label("approve"),), (outcome,))
    ledger = _ledger([first, decisions[1]], {shipped().content_hash: orjson.dumps(shipped().document)})
    lines = _exported(ledger)
    found = read(lines)
    assert found[0] == first
    assert (found[1].record, found[1].labels) == (decisions[1].record, ())

    async def bodies() -> list[bytes]:
        return [stored.body async for stored in ledger.scan()]

    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds == ["header", "policy", "decision", "decision", "end"]
    assert [body_bytes(line, orjson.loads(line)) for line in lines[2:4]] == asyncio.run(bodies())


def test_shadows_are_written_before_the_policy_that_names_them(tmp_path: Path) -> None:
    text = Path(__file__).parents[3].joinpath("policies/data/aelvyndor.yaml").read_text("utf-8")
    (tmp_path / "trial.yaml").write_text(text.replace("id: aelvyndor", "id: trial", 1), "utf-8")
    (tmp_path / "main.yaml").write_text(text.replace("shadow: []", "shadow: [trial.yaml]"), "utf-8")
    policy = load_policy(tmp_path / "main.yaml")
    (shadow,) = policy.shadows
    request = {"one": example_requests()["02-lamps-for-the-third-ring"]}
    documents = {each.content_hash: orjson.dumps(each.document) for each in (policy, shadow)}
    lines = _exported(_ledger(recorded(request, policy), documents))
    assert [json.loads(line).get("hash") for line in lines[1:3]] == [shadow.content_hash, policy.content_hash]
    opened = open_export(write_export(tmp_path / "out.jsonl", lines))
    assert len(list(opened)) == 1
    found = opened.policy(policy.content_hash)
    assert found is not None
    assert [each.policy_id for each in found.shadows] == ["trial"]


def test_a_ledger_that_lacks_a_policy_is_not_exported() -> None:
    ledger = _ledger(DECISIONS[:1], {shipped().content_hash: b'{"shadow":["%b"]}' % (b"7" * 64)})
    with pytest.raises(PolicyMissingError, match="7777"):
        _exported(ledger)


def test_an_export_from_a_later_position_takes_its_first_link_at_its_word() -> None:
    lines = export_lines(DECISIONS[4:], header=ExportHeader(None, DECISIONS[0].realm_id, 4))
    assert read(lines) == DECISIONS[4:]
    assert fault_of(export_lines(DECISIONS[5:], header=ExportHeader(None, None, 4))) == FileFault(
        "out.jsonl",
        FIRST,
        "position",
        "6 stands where 5 must follow: a record is missing, repeated or moved",
        AGAIN,
    )


def test_a_line_written_anew_by_another_tool_still_proves_itself() -> None:
    """`jq .` and others write spaces; the hash covers the canonical form, which is computed again."""
    spaced = [json.dumps(json.loads(line)).encode() for line in LINES]
    assert read(spaced) == DECISIONS


def test_a_redacted_export_proves_nothing_and_says_so() -> None:
    header = ExportHeader(Redaction("hmac-sha256", "dropped", "kept"))
    changed = {**DECISIONS[0].record, "request_key": "someone"}
    lines = export_lines([Decision(changed, 1)], header=header)
    (found,) = read(lines)
    assert found.is_redacted
    assert (found.hash, found.previous) == ("", "")
    told = fault_of(export_lines([Decision(changed, 1, "a" * 64, GENESIS)], header=header))
    assert (told.key, told.message) == ("hash", "must be empty in a redacted export: it would prove nothing")


def _body(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda line: line["body"].update(fields)


@pytest.mark.parametrize(
    ("lines", "line", "key", "message"),
    [
        (LINES[:-1], len(LINES) - 1, "", "the export was cut off: no end line follows, and 18 decisions stand before"),
        ([*LINES[:-2], LINES[-2][:-40]], len(LINES) - 1, "", "is cut off"),
        ([*LINES, LINES[-1]], len(LINES) + 1, "", "stands behind the end of the export"),
        ([*LINES, b""], len(LINES) + 1, "", "is not JSON"),
        ([*LINES, b"rubbish"], len(LINES) + 1, "", "is not JSON"),
        ([*LINES[:5], b"[]", *LINES[5:]], 6, "", "is no JSON object"),
        ([LINES[0], *LINES], 2, "kind", "two exports were put into one file"),
        ([*LINES[:4], b'{"kind":"desision"}'], 5, "kind", "'desision' is no kind of line"),
        (LINES[2:], 1, "", "is no header of an export"),
        (
            edited(1, lambda line: line.update(schema="council.export/2")),
            1,
            "schema",
            "'council.export/2' is the format of another version; this one reads 'council.export/1'",
        ),
        (edited(1, lambda line: line.update(readacted=1)), 1, "readacted", "is not known here"),
        (edited(1, lambda line: line.update(redacted=True)), 1, "redacted", "must be false, or say the method"),
        (edited(1, lambda line: line.update(realm=1)), 1, "realm", "must be a text or null"),
        (edited(1, lambda line: line.update(after=-1)), 1, "after", "must be an integer from 0 on"),
        (edited(1, lambda line: line.update(realm="elsewhere")), FIRST, "realm_id", "only 'elsewhere' was exported"),
        (edited(2, lambda line: line["document"].update(version=99)), 2, "hash", "the policy was edited"),
        (edited(2, lambda line: line.update(document=[])), 2, "document", "must be a policy's document"),
        ([LINES[0], *LINES[2:]], 2, "body.policy.hash", "names a policy that no line before holds"),
        ([*LINES[:4], *LINES[5:]], 5, "position", "4 stands where 3 must follow"),
        ([*LINES[:4], LINES[3], *LINES[4:]], 5, "position", "2 stands where 3 must follow"),
        (edited(5, lambda line: line.update(position="3")), 5, "position", "must be an integer from 1 on"),
        (edited(5, lambda line: line.update(previous="0" * 64)), 5, "previous", "the chain is broken here"),
        (edited(5, lambda line: line.update(hash="f" * 64)), 5, "hash", "the record was edited"),
        (edited(5, lambda line: line.update(hash="short")), 5, "hash", "is no hash"),
        (edited(5, _body(elapsed_ms=99)), 5, "hash", "does not match body, place and realm: the record was edited"),
        (edited(5, _body(realm_id="other")), 5, "realm_id", "is not the realm of its record, 'other'"),
        (edited(5, _body(schema="council.record/2")), 5, "body.schema", "is the format of another version"),
        (edited(5, _body(path="slow")), 5, "body.path", "is none of the known ones"),
        (edited(5, _body(answer=[])), 5, "body.answer", "is missing or no object"),
        (edited(5, _body(answer={})), 5, "body.answer.votes", "is missing or no list"),
        (edited(5, _body(policy={})), 5, "body.policy.hash", "is missing or no text"),
        (edited(5, lambda line: line["body"].pop("request_key")), 5, "body.request_key", "is missing or no text"),
        (edited(5, lambda line: line.pop("body")), 5, "body", "must be a record"),
        (edited(5, lambda line: line.update(label=[])), 5, "label", "is not known here"),
        (edited(5, lambda line: line.update(labels={})), 5, "labels", "must be a list"),
        (edited(5, lambda line: line.update(labels=["x"])), 5, "labels.0", "is no object"),
        (edited(11, lambda line: line["labels"][1].update(verdict="ban")), 11, "labels.1.verdict", "is no verdict"),
        (edited(11, lambda line: line["labels"][0].update(axis="x")), 11, "labels.0.axis", "is no axis"),
        (edited(11, lambda line: line["labels"][0].update(note=1)), 11, "labels.0.note", "is no text"),
        (edited(11, lambda line: line["labels"][0].update(labeller="")), 11, "labels.0.labeller", "is missing"),
        (
            edited(11, lambda line: line["labels"][0].update(labelled_at="2026-03-01")),
            11,
            "labels.0.labelled_at",
            "is no UTC time with milliseconds",
        ),
        (edited(5, lambda line: line.update(outcomes=[{}])), 5, "outcomes.0.reporter", "is missing or no text"),
        (
            [*LINES[:-1], end_line(ExportCounts(17, 1))],
            len(LINES),
            "decisions",
            "the end line counts 17, the file has 18",
        ),
        ([*LINES[:-1], end_line(ExportCounts(18, 2))], len(LINES), "policies", "counts 2, the file has 1"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(lines: list[bytes], line: int, key: str, message: str) -> None:
    fault = fault_of(lines)
    assert (fault.file, fault.line, fault.key) == ("out.jsonl", line, key)
    assert message in fault.message
    assert fault.fix


def test_a_record_of_the_format_before_is_recognised() -> None:
    """Until this version an export was records alone, without header, policies and end."""
    old = orjson.dumps({"realm_id": "r", "position": 1, "hash": "", "previous": "", "body": {}})
    assert fault_of([old]).message == "is a record of an export of an earlier version"


def test_an_empty_file_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match="is empty: it has not even a header"):
        open_export(write_export(tmp_path / "out.jsonl", []))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvalsError, match="no such file"):
        open_export(tmp_path / "none.jsonl")


def test_a_line_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evals.exports.MAX_LINE_BYTES", 1000)
    path = write_export(tmp_path / "out.jsonl", [header_line(ExportHeader()), b"x" * 1001])
    with pytest.raises(InvalidFileError, match=r"out\.jsonl:2: is longer than 1000 bytes"):
        list(open_export(path))


def test_a_policy_that_this_version_cannot_read_is_named(tmp_path: Path) -> None:
    document = {"id": "from-tomorrow"}
    content_hash = sha256_hex(canonical_json(document))
    line = orjson.dumps({"kind": "policy", "hash": content_hash, "document": document})
    opened = open_export(write_export(tmp_path / "out.jsonl", [LINES[0], line, end_line(ExportCounts(0, 1))]))
    assert list(opened) == []
    with pytest.raises(InvalidFileError, match="cannot be read"):
        opened.policy(content_hash)


def test_without_the_chain_the_form_alone_is_checked(tmp_path: Path) -> None:
    path = write_export(tmp_path / "out.jsonl", edited(5, _body(elapsed_ms=99)))
    assert len(list(open_export(path, check_chain=False))) == len(DECISIONS)
    with pytest.raises(InvalidFileError, match="the record was edited"):
        list(open_export(path))


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)
_LABELS = st.builds(
    Label, labeller=_TEXT, verdict=st.sampled_from(VERDICTS), labelled_at=st.just(AT),
    axis=st.sampled_from([None, *AXES]), note=st.one_of(st.just(""), _TEXT, st.just('","labels":[{')),
)  # fmt: skip
_OUTCOMES = st.builds(Outcome, _TEXT, _TEXT, st.just(AT), st.one_of(st.just(""), _TEXT))
_NUMBERS = st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False))
_KEYS = st.one_of(_TEXT, st.sampled_from(["labels", "outcomes", "body"]))
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(facts=_JSON, realm=_TEXT, labels=st.lists(_LABELS, max_size=3), outcomes=st.lists(_OUTCOMES, max_size=2))
def test_whatever_a_record_holds_its_bytes_come_back_and_prove_it(
    facts: Any, realm: str, labels: list[Label], outcomes: list[Outcome]
) -> None:
    """A law: no text, key or number inside a record can shift where its bytes begin or end in the line."""
    record = {**DECISIONS[0].record, "realm_id": realm, "request": {"facts": facts, "labels": [facts], "body": [facts]}}
    body = canonical_json(record)
    decision = Decision(
        orjson.loads(body), 1, link_hash(body, 1, GENESIS, realm), GENESIS, tuple(labels), tuple(outcomes)
    )
    line = decision_line(decision, body)
    assert body_bytes(line, orjson.loads(line)) == body
    assert decision_line(decision) == line
    assert read([*LINES[:2], line, end_line(ExportCounts(1, 1))]) == [decision]
