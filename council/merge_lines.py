"""The merge as a filter: votes by hand or from another implementation, one JSON document a line (council.md, the merge).

Numbers are integers, decimal strings or fraction strings; results are exact fractions.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final, TypeVar, cast

import orjson

from council.merge import DEFAULT_QUORUM, DEFAULT_QUOTAS, FULL_UNIT, Ballot, FiredRule, Merged, RuleName, Seats, merge
from policies.calibration import Steps, written_calibration
from policies.cursor import Complaints, Place
from policies.faults import Fault, InvalidInputError, did_you_mean, pointer
from policies.numbers import exact, half_even
from policies.policy_faults import InvalidPolicyError
from policies.strict_json import parse_strict
from policies.verdicts import ABSTENTIONS, MEMBERS, RULE_OUTCOMES, VERDICTS, Verdict

_RULES: Final = ("quota", "plurality", "median", "strictest")
_POLICY_KEYS: Final = (
    "weights", "quotas", "quorum", "required", "confidence", "calibration", "absent_counts_as", "confidence_floor", "rule",
)  # fmt: skip

T = TypeVar("T")


def merge_line(line: str | bytes) -> bytes:
    """Merge the votes of one line: {"policy": {...}, "votes": [...], "vetoes": [...]}.

    Raises:
        InvalidInputError: with every fault found.
    """
    return orjson.dumps(merged_to_wire(_merged(parse_strict(line).value)))


def merged_to_wire(merged: Merged) -> dict[str, Any]:
    """Return the answer of the merge command, fractions as strings."""
    return {
        "verdict": merged.verdict,
        "confidence": str(merged.confidence),
        "coverage": str(merged.coverage),
        "shares": {verdict: str(share) for verdict, share in merged.shares.items()},
        "tags": list(merged.tags),
        "decided_by": merged.decided_by,
    }


def _merged(document: Any) -> Merged:
    reader = _Reader()
    top = reader.mapping("", document, ("policy", "votes", "vetoes"))
    seats = _seats(reader, top.get("policy", {}))
    ballots = _ballots(reader, top.get("votes", []), seats)
    fired = _fired(reader, top.get("vetoes", []))
    reader.finish()
    return merge(cast(Seats, seats), ballots, fired)


class _Reader:
    """Reads values, collecting every fault instead of stopping at the first."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, path: str, message: str, fix: str = "") -> None:
        self.faults.append(Fault(path, message, fix))

    def finish(self) -> None:
        if self.faults:
            raise InvalidInputError(self.faults)

    def mapping(self, path: str, value: Any, known: tuple[str, ...] | None = None) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self.fault(path, "must be an object")
            return {}
        for key in value:
            if known is not None and key not in known:
                self.fault(path + pointer(key), "unknown field", did_you_mean(key, known))
        return value

    def items(self, path: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            self.fault(path, "must be a list")
            return []
        return value

    def number(self, path: str, value: Any, accepts: Callable[[Fraction], bool], range_: str) -> Fraction | None:
        try:
            number = exact(value)
        except ValueError as error:
            self.fault(path, str(error), 'floats are not exact: write "0.4" or "2/5"')
            return None
        if not accepts(number):
            self.fault(path, f"must be {range_}")
            return None
        return number

    def choice(self, path: str, value: Any, known: tuple[T, ...]) -> T | None:
        if value in known and isinstance(value, str):
            return value  # type: ignore[return-value]  # `known` holds strings only
        names = [str(item) for item in known]
        self.fault(path, "not one of the known values", did_you_mean(str(value), names))
        return None


def _seats(reader: _Reader, document: Any) -> Seats | None:
    policy = reader.mapping("/policy", document, _POLICY_KEYS)
    weights = _weights(reader, policy.get("weights"))
    quotas = _quotas(reader, policy.get("quotas", {}))
    in_unit = (lambda number: 0 <= number <= 1, "between 0 and 1")
    quorum = reader.number("/policy/quorum", policy.get("quorum", DEFAULT_QUORUM), *in_unit)
    floor = reader.number("/policy/confidence_floor", policy.get("confidence_floor", 0), *in_unit)
    absent = reader.choice("/policy/absent_counts_as", policy.get("absent_counts_as", "quarantine"), VERDICTS[1:])
    rule = reader.choice("/policy/rule", policy.get("rule", "quota"), _RULES)
    required = _required(reader, policy.get("required", []))
    use_confidence = _confidence(reader, policy.get("confidence", {}))
    tables = _calibration(reader, policy.get("calibration", {}), use_confidence)
    if not weights or quotas is None or quorum is None or floor is None or absent is None or rule is None:
        return None
    return Seats(weights, quotas, quorum, required, use_confidence, absent, floor, cast(RuleName, rule), tables)


def _weights(reader: _Reader, document: Any) -> dict[str, Fraction]:
    if document is None:
        return dict.fromkeys(MEMBERS, Fraction(1))
    weights = {}
    for member, weight in reader.mapping("/policy/weights", document).items():
        number = reader.number("/policy/weights" + pointer(member), weight, lambda number: number > 0, "above 0")
        if number is not None:
            weights[member] = number
    if not document:
        reader.fault("/policy/weights", "nobody is seated", "give at least one member a weight above 0")
    return weights


def _quotas(reader: _Reader, document: Any) -> dict[Verdict, Fraction] | None:
    path = "/policy/quotas"
    given = reader.mapping(path, document, ("modify", "reject", "quarantine"))
    quotas: dict[Verdict, Fraction] = {}
    for verdict in VERDICTS[1:]:
        value = given.get(verdict, DEFAULT_QUOTAS[verdict])
        number = reader.number(path + pointer(verdict), value, lambda n: 0 < n < 1, "strictly between 0 and 1")
        if number is None:
            return None
        quotas[verdict] = number
    if not quotas["modify"] <= quotas["reject"] <= quotas["quarantine"]:
        reader.fault(path, "falls with strictness", "keep modify <= reject <= quarantine (each is 1/3 unless given)")
        return None
    return quotas


def _required(reader: _Reader, document: Any) -> frozenset[str]:
    members = reader.items("/policy/required", document)
    for index, member in enumerate(members):
        if not isinstance(member, str):
            reader.fault(pointer("policy", "required", index), "must be the name of a member")
    return frozenset(member for member in members if isinstance(member, str))


def _confidence(reader: _Reader, document: Any) -> frozenset[str]:
    uses = set()
    for member, choice in reader.mapping("/policy/confidence", document).items():
        if reader.choice("/policy/confidence" + pointer(member), choice, ("use", "ignore")) == "use":
            uses.add(member)
    return frozenset(uses)


def _calibration(reader: _Reader, document: Any, use_confidence: frozenset[str]) -> dict[str, Steps]:
    tables = {}
    for member, written in reader.mapping("/policy/calibration", document).items():
        complaints = Complaints("", {})
        steps = written_calibration(Place(written, (), complaints))
        try:
            complaints.finish()
        except InvalidPolicyError as error:
            for fault in error.faults:
                at = fault.key.replace("[", "/").replace("]", "")
                reader.fault("/policy/calibration" + pointer(member) + at, fault.message, fault.fix)
            continue
        if steps is not None and member in use_confidence:
            tables[member] = tuple([(confidence, worth) for confidence, worth in steps])
    return tables


def _ballots(reader: _Reader, document: Any, seats: Seats | None) -> list[Ballot]:
    ballots: dict[str, Ballot] = {}
    for index, item in enumerate(reader.items("/votes", document)):
        path = pointer("votes", index)
        vote = reader.mapping(path, item, ("member", "verdict", "confidence", "abstained"))
        member = vote.get("member")
        if not isinstance(member, str):
            reader.fault(path + "/member", "required field is missing or not a name", "name the member")
            continue
        if member in ballots:
            reader.fault(path, "a second vote of the same member", "a member has one vote")
        if seats is not None and member not in seats.weights:
            reader.fault(path + "/member", "is not seated", did_you_mean(member, list(seats.weights)))
        ballots[member] = _ballot(reader, path, member, vote, seats)
    return list(ballots.values())


def _ballot(reader: _Reader, path: str, member: str, vote: Mapping[str, Any], seats: Seats | None) -> Ballot:
    if ("verdict" in vote) == ("abstained" in vote):
        reader.fault(path, "must have a verdict or an abstention, not both", "give verdict, or abstained")
        return Ballot(member, None)
    if "abstained" in vote:
        kind = reader.choice(path + "/abstained", vote["abstained"], ABSTENTIONS)
        return Ballot(member, None, 0, kind)
    verdict = reader.choice(path + "/verdict", vote["verdict"], VERDICTS)
    if "confidence" not in vote and seats is not None and member in seats.use_confidence:
        reader.fault(path + "/confidence", "required: the policy uses this member's confidence", "0 to 1000")
    confidence = reader.number(
        path + "/confidence", vote.get("confidence", FULL_UNIT), lambda n: 0 <= n <= FULL_UNIT, "0 to 1000 (permille)"
    )
    return Ballot(member, verdict, half_even(confidence) if confidence is not None else 0)


def _fired(reader: _Reader, document: Any) -> list[FiredRule]:
    fired = []
    for index, item in enumerate(reader.items("/vetoes", document)):
        path = pointer("vetoes", index)
        rule = reader.mapping(path, item, ("rule", "outcome"))
        outcome = reader.choice(path + "/outcome", rule.get("outcome"), RULE_OUTCOMES)
        name = rule.get("rule")
        if not isinstance(name, str):
            reader.fault(path + "/rule", "required field is missing or not a name", "name the rule that fired")
        elif outcome is not None:
            fired.append(FiredRule(name, outcome))
    return fired
