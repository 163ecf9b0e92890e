"""From a model's reply to a vote, or to none: strict, and nothing is ever guessed (council.md, the merge; L14, L15).

    not one strict JSON object and nothing else      unparsed     prose, fences, two objects, a key twice, NaN, too large
    an object of any other form than `reply_schema`  off_schema   fields, types, words outside their enum, numbers out of range
    cites what this case does not have               off_schema   a signal, a rule, an effect
    a verdict and modifications that do not fit      off_schema   `modify` without one, `approve` with one, one that the
                                                                  effect cannot bear (`agents.conditions`)

Checks are written out and not left to a validator's coercions: true is no 1, "0.9" is no number, 1.5 is no confidence. What a
sentence here says never repeats the reply, which may repeat a player.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NoReturn, cast

from rfc8785 import CanonicalizationError

from agents.asking import MAX_RAW, Reply
from agents.conditions import ACTIONS, FIELDS, InapplicableError, condition_of
from agents.reply_schema import (
    CLAIM_FIELDS,
    FINDING_FIELDS,
    MAX_CITED,
    MAX_CLAIMS,
    MAX_FINDINGS,
    MAX_MODIFICATIONS,
    MODIFICATION_FIELDS,
    REPLY_FIELDS,
)
from agents.visible import cut, one_line
from policies.evidence import Evidence
from policies.faults import InvalidInputError
from policies.numbers import PERMILLE, scaled
from policies.strict_json import parse_strict
from policies.verdicts import VERDICTS, Abstention, Member, Verdict
from policies.votes import Claim, Modification, Reason, Vote, abstention
from world.case import Case

MAX_REASON: Final = 400
"""Longest reason that is kept, characters."""

_NO_TEXT: Final = "the model said nothing"


class NoVoteError(Exception):
    """there is no vote in this reply

    Args:
        kind: how the abstention is recorded.
        because: one sentence that repeats nothing of the reply.
    """

    def __init__(self, kind: Abstention, because: str) -> None:
        super().__init__(because)
        self.kind: Abstention = kind
        self.because = because


def vote_of(reply: Reply, case: Case, evidence: Evidence, rules: tuple[str, ...]) -> Vote:
    """Return the vote that a reply holds, and an abstention where it holds none; never raises."""
    member, raw = reply.slot.member, reply.raw
    if reply.failed is not None:
        return abstention(member, reply.failed, source="model", because=reply.because)
    if not isinstance(raw, str):
        return abstention(member, "unparsed", source="model", because=_NO_TEXT)
    try:
        return read_vote(raw, member, case, evidence, rules)
    except NoVoteError as error:
        return abstention(member, error.kind, source="model", because=error.because)


def read_vote(raw: str, member: Member, case: Case, evidence: Evidence, rules: tuple[str, ...]) -> Vote:
    """Read a model's reply into its vote.

    Args:
        raw: the reply's text, as it came.
        member: whose model it is.
        case: the case that was put to it.
        evidence: the signals of the case: all that a reply may cite.
        rules: ids of the policy's rules: all that a reply may claim.

    Raises:
        NoVoteError: where there is no vote in it.
    """
    reply = _object(_parsed(raw), REPLY_FIELDS, "the reply")
    signals = frozenset([signal.name for signal in evidence])
    verdict = _verdict(reply["verdict"])
    findings = _findings(reply["findings"], signals)
    reasoning = Reason(_text(reply["reasoning"], "reasoning"), _unique(findings))
    modifications = _modifications(reply["modifications"], verdict, case)
    claims = _claims(reply["claims"], signals, rules)
    confidence = _confidence(reply["confidence"])
    return Vote(member, verdict, confidence, (reasoning, *findings), modifications, "model", claims=claims)


def _parsed(raw: str) -> Any:
    if not raw.strip():
        raise NoVoteError("unparsed", _NO_TEXT)
    try:
        return parse_strict(raw.encode("utf-8", "surrogatepass"), max_bytes=MAX_RAW).value
    except InvalidInputError as error:
        # The parser names what is wrong and where, never what stood there.
        raise NoVoteError("unparsed", f"the reply is not one strict JSON object: {error.faults[0].message}") from None
    except CanonicalizationError:
        raise NoVoteError("unparsed", "the reply is not one strict JSON object: a number is too large") from None


def _verdict(value: Any) -> Verdict:
    if not isinstance(value, str) or value not in VERDICTS:
        _off("verdict is not one of approve, modify, reject, quarantine")
    return value


def _confidence(value: Any) -> int:
    """Return a confidence in permille, halves to even."""
    if type(value) not in (int, float) or not 0 <= value <= 1:
        _off("confidence is not a number from 0 to 1")
    return scaled(value, PERMILLE)


def _findings(value: Any, signals: Collection[str]) -> tuple[Reason, ...]:
    found = []
    for item in _list(value, MAX_FINDINGS, "findings"):
        finding = _object(item, FINDING_FIELDS, "a finding")
        cited = finding["evidence"]
        if not isinstance(cited, str) or cited not in signals:
            _off("a finding cites a signal that this case does not have")
        found.append(Reason(_text(finding["says"], "a finding"), (cited,)))
    return tuple(found)


def _unique(findings: Sequence[Reason]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([name for finding in findings for name in finding.evidence]))


def _modifications(value: Any, verdict: Verdict, case: Case) -> tuple[Modification, ...]:
    asked = tuple([_modification(item, case) for item in _list(value, MAX_MODIFICATIONS, "modifications")])
    if verdict == "modify" and not asked:
        _off("a modify vote asks for no modification")
    if verdict == "approve" and asked:
        _off("an approve vote asks for modifications")
    return asked


def _modification(value: Any, case: Case) -> Modification:
    item = _object(value, MODIFICATION_FIELDS, "a modification")
    field, bound, text = item["field"], item["bound"], item["value"]
    if type(item["effect"]) is not int or item["action"] not in ACTIONS or not isinstance(item["because"], str):
        _off("a modification has a field of the wrong form")
    if field is not None and field not in FIELDS:
        _off("a modification names a field that cannot be changed")
    if bound is not None and type(bound) not in (int, float):
        _off("a modification has a bound that is no number")
    if text is not None and not isinstance(text, str):
        _off("a modification has a value that is no text")
    try:
        return condition_of(item, case, _shown(item["because"]))
    except InapplicableError as error:
        _off(f"a modification {error}")


def _claims(value: Any, signals: Collection[str], rules: Collection[str]) -> tuple[Claim, ...]:
    claims = []
    for item in _list(value, MAX_CLAIMS, "claims"):
        claim = _object(item, CLAIM_FIELDS, "a claim")
        if not isinstance(claim["rule"], str) or claim["rule"] not in rules:
            _off("a claim names a rule that the policy does not have")
        cited = _list(claim["evidence"], MAX_CITED, "a claim's evidence")
        if not cited or any(not isinstance(name, str) or name not in signals for name in cited):
            _off("a claim does not cite signals that this case has")
        claims.append(Claim(claim["rule"], tuple(dict.fromkeys(cited))))
    return tuple(claims)


def _object(value: Any, fields: Sequence[str], what: str) -> Mapping[str, Any]:
    """Return an object that has these fields and no other."""
    if type(value) is not dict:
        _off(f"{what} is not an object")
    if value.keys() != frozenset(fields):
        _off(f"{what} does not have exactly the fields {', '.join(fields)}")
    return cast(Mapping[str, Any], value)


def _list(value: Any, most: int, what: str) -> list[Any]:
    if type(value) is not list:
        _off(f"{what} is not a list")
    if len(value) > most:
        _off(f"{what} has more than {most} items")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        _off(f"{what} has no text")
    text = _shown(value)
    if not text:
        _off(f"{what} has no text")
    return text


def _shown(text: str) -> str:
    """Return what a model wrote as it is kept: one visible line within its cap."""
    kept = cut(one_line(text), MAX_REASON)
    return f"{kept.text}…" if kept.left_out else kept.text


def _off(because: str) -> NoReturn:
    raise NoVoteError("off_schema", because)
