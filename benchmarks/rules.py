"""Twenty veto rules over one case: at most 40 microseconds a review.

python -m benchmarks.rules [--json]
"""

import sys
import time

from benchmarks.report import Row, print_report
from benchmarks.workload import sovereign_request
from council.review import deliberate
from policies.contracts.reading import read_request
from policies.loading import default_policy_path, load_policy
from policies.rules import RuleSet, compile_rule
from world.case import open_case

RULES = 20
CALLS = 2_000


def measure() -> list[Row]:
    """Time twenty rules that do not fire, and the same rules all firing."""
    policy = load_policy(default_policy_path())
    request = read_request(sovereign_request()).request
    realm = policy.realm(request.realm_id)
    assert realm is not None
    review = deliberate(open_case(request), policy, realm)
    assert review.assessed is not None
    values = dict(review.assessed.values)
    names = sorted(values)[: RULES + 1]
    quiet = [
        compile_rule(f"rule_{index}", f"{names[index]} > 1000000000 && {names[index + 1]} >= 0")
        for index in range(RULES)
    ]
    loud = [compile_rule(f"rule_{index}", f"{names[index]} < 1000000000") for index in range(RULES)]
    return [
        Row("twenty rules, none fires", f"{_microseconds(RuleSet(quiet), values):.1f} us", "", "<= 40 us"),
        Row("twenty rules, all fire", f"{_microseconds(RuleSet(loud), values):.1f} us", "", ""),
    ]


def _microseconds(rules: RuleSet, values: dict[str, int]) -> float:
    rounds = []
    for _ in range(9):
        started = time.perf_counter()
        for _ in range(CALLS):
            rules.evaluate(values)
        rounds.append((time.perf_counter() - started) / CALLS)
    return sorted(rounds)[len(rounds) // 2] * 1e6


if __name__ == "__main__":
    print_report("Veto rules", measure(), as_json="--json" in sys.argv)
