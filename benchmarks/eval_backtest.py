"""A whole backtest from an export, first and second time, against orjson parsing the same file line by line.

The issue allows three times the parse for the first run, and a tenth of the first for the second. All are whole processes but
the parse. The export repeats the decisions of the shipped examples under other ids, its chain whole.

    python -m benchmarks.eval_backtest [--decisions N] [--folder DIR] [--json]
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from benchmarks.report import Row, print_report
from council.ledger.chain import GENESIS, link_hash
from council.review import deliberate
from evals.export_lines import ExportCounts, ExportHeader, end_line, header_line, policy_line
from evals.records import record_of
from evals.sidecar import sidecar_path
from policies.canonical import plain_canonical_json
from policies.contracts.reading import read_request
from policies.loading import default_policy_path, load_policy
from world.case import open_case

ROOT: Final = Path(__file__).resolve().parent.parent
EXAMPLES: Final = ROOT / "examples" / "requests"
REALM: Final = "realm-1"
AT: Final = "2026-03-01T10:00:00.000Z"
FIRST_BOUND: Final = 3.0
SECOND_BOUND: Final = 0.1
MILLION_BOUND_MIB: Final = 2048
ROUNDS: Final = 3
_QUOTAS: Final = 'modify: "2/5"\n    reject: "2/5"\n    quarantine: "2/5"'


class Run(NamedTuple):
    """One whole process."""

    seconds: float
    peak_mib: float
    """Largest resident memory of any one process that took part."""


def main() -> int:
    """Measure, print, and exit with 1 where a bound is not held."""
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        export, policy = Path(folder) / "export.jsonl", Path(folder) / "new.yaml"
        _write_policy(policy)
        _write_export(export, options.decisions)
        half = Path(folder) / "half.jsonl"
        _write_export(half, options.decisions // 2)
        parses, firsts, seconds = [], [], []
        for _ in range(ROUNDS):
            parses.append(_parse_s(export))
            sidecar_path(export).unlink(missing_ok=True)
            firsts.append(_backtest(export, policy))
            time.sleep(2.1)  # a sidecar that is younger than its export by less is checked by hashing the export
            seconds.append(_backtest(export, policy))
        halves = _backtest(half, policy)
        size = export.stat().st_size
    parse = statistics.median(parses)
    first = statistics.median(run.seconds for run in firsts)
    second = statistics.median(run.seconds for run in seconds)
    peak = max(run.peak_mib for run in (*firsts, *seconds))
    growth = max(0.0, (peak - halves.peak_mib) / (options.decisions / 2))
    million = peak + growth * (1_000_000 - options.decisions)
    rows = [
        Row(f"orjson, {size / 2**20:.0f} MiB line by line", f"{parse:.2f} s", "1.00", ""),
        Row("whole command, first run", f"{first:.2f} s", f"{first / parse:.2f}", f"<= {FIRST_BOUND:g}"),
        Row(
            "whole command, second run", f"{second:.2f} s", f"{second / first:.3f} of the first", f"<= {SECOND_BOUND:g}"
        ),
        Row("largest process", f"{peak:.0f} MiB", "", ""),
        Row("extrapolated to a million decisions", f"{million:.0f} MiB", "", f"<= {MILLION_BOUND_MIB} MiB"),
    ]
    print_report(f"Backtest of {options.decisions} decisions", rows, as_json=options.json)
    is_good = first / parse <= FIRST_BOUND and second / first <= SECOND_BOUND and million <= MILLION_BOUND_MIB
    return 0 if is_good else 1


def _parse_s(export: Path) -> float:
    started = time.perf_counter()
    with export.open("rb") as opened:
        for line in opened:
            orjson.loads(line)
    return time.perf_counter() - started


def _backtest(export: Path, policy: Path) -> Run:
    """Run the command as its users do."""
    code = f"import sys; from cli.main import main; sys.exit(main(['eval', 'backtest', {str(export)!r}, '-p', {str(policy)!r}]))"
    measured = (
        "import resource, subprocess, sys; "
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode; "
        "print(done, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    started = time.perf_counter()
    found = subprocess.run(
        [sys.executable, "-S", "-c", measured, sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    took = time.perf_counter() - started
    done, peak_kib = found.stdout.split()
    if done not in ("0", "1"):
        raise RuntimeError(f"the backtest ended with {done}: {found.stderr}")
    return Run(took, int(peak_kib) / 1024)


def _write_policy(path: Path) -> None:
    text = default_policy_path().read_text("utf-8")
    changed = re.sub(r'modify: "1/3"\n    reject: "1/3"\n    quarantine: "1/3"', _QUOTAS, text)
    if changed == text:
        raise RuntimeError("the shipped policy has other quotas than this benchmark changes")
    path.write_text(changed, "utf-8")


def _write_export(path: Path, decisions: int) -> None:
    policy = load_policy(default_policy_path())
    with path.open("wb") as opened:
        opened.write(header_line(ExportHeader()) + b"\n")
        opened.write(policy_line(policy.content_hash, orjson.dumps(policy.document)) + b"\n")
        previous = GENESIS
        for position, body in enumerate(_bodies(decisions), 1):
            hashed = link_hash(body, position, previous, REALM)
            head = f'{{"kind":"decision","realm_id":"{REALM}","position":{position},"hash":"{hashed}","previous":"{previous}"'
            opened.write(b'%b,"body":%b}\n' % (head.encode(), body))
            previous = hashed
        opened.write(end_line(ExportCounts(decisions, 1)) + b"\n")


def _bodies(decisions: int) -> Iterator[bytes]:
    """Yield records of the examples in turn, each under an id of its own."""
    policy = load_policy(default_policy_path())
    realm = policy.realm(REALM)
    assert realm is not None
    real = []
    for example in sorted(EXAMPLES.glob("*.json")):
        document = {key: value for key, value in orjson.loads(example.read_bytes()).items() if key != "request_id"}
        read = read_request(orjson.dumps(document))
        record = record_of(deliberate(open_case(read.request), policy, realm), read, example.stem, AT)
        real.append((plain_canonical_json(record), record["decision_id"].encode()))
    for number in range(decisions):
        body, decision_id = real[number % len(real)]
        yield body.replace(decision_id, b"d-%024x" % number)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decisions", type=int, default=100_000, help="decisions in the export")
    parser.add_argument("--folder", type=Path, default=None, help="where the export is written for the time of the run")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
