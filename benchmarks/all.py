"""Every benchmark, one after another, each in a process of its own: what `make bench` runs."""

import subprocess
import sys

BENCHMARKS = ("review", "http_review", "ledger_append", "rules", "cli_start", "memory")


def main() -> int:
    """Run all benchmarks; return 1 if any could not run."""
    failed = [name for name in BENCHMARKS if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode]
    for name in failed:
        print(f"benchmark {name} did not run to its end", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
