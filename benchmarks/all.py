"""Every benchmark, one after another, each in a process of its own: what `make bench` runs."""

import subprocess
import sys

BENCHMARKS = (
    "review",
    "http_review",
    "model_call",
    "model_review",
    "model_memory",
    "ledger_append",
    "rules",
    "eval_merge",
    "eval_backtest",
    "cli_start",
    "memory",
    "world_ingestion",
    "world_tick",
    "feed_readers",
    "story_planning",
    "story_context",
)


def main() -> int:
    """Run all benchmarks; return 1 if any could not run."""
    commands = {name: [sys.executable, "-m", f"benchmarks.{name}"] for name in BENCHMARKS}
    failed = [name for name, command in commands.items() if subprocess.run(command, check=False).returncode]
    for name in failed:
        print(f"benchmark {name} did not run to its end", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
