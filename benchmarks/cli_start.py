"""How fast `council --help` answers, against a bare interpreter start of the same run.

The issue allows six times a bare start. Both are whole processes, interleaved, medians taken.

    python -m benchmarks.cli_start [--runs N] [--json]
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.report import Row, print_report

LIMIT: Final = 6.0
ROOT: Final = Path(__file__).resolve().parent.parent
COMMANDS: Final = {
    "bare": ["-c", "pass"],
    "council --help": ["-c", "import sys; from cli.main import main; sys.exit(main(['--help']))"],
    "council --version": ["-c", "import sys; from cli.main import main; sys.exit(main(['--version']))"],
    "import typer": ["-c", "import typer"],
}
"""What the console script runs; `import typer` is what help would cost at least if it were built by typer."""


def main() -> int:
    """Measure, print, and exit with 1 where help is slower than the limit."""
    options = _options()
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(options.runs):
        for name, arguments in COMMANDS.items():
            seconds[name].append(_run_s(arguments))
    medians = {name: statistics.median(runs) for name, runs in seconds.items()}
    ratios = {name: medians[name] / medians["bare"] for name in COMMANDS if name != "bare"}
    is_good = ratios["council --help"] <= LIMIT
    rows = [Row("bare interpreter start", _ms(medians["bare"]), "1.00", "")]
    rows += [
        Row(name, _ms(medians[name]), f"{ratio:.2f}", f"<= {LIMIT:g}" if name == "council --help" else "")
        for name, ratio in ratios.items()
    ]
    print_report(f"start of the command line, median of {options.runs} runs", rows, as_json=options.json)
    return 0 if is_good else 1


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _run_s(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=25, help="processes started of each kind")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
