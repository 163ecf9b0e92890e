"""Starts the programs of `ledger_programs`, reads what they answer, and kills them."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def started(program: str, url: str, *numbers: int) -> subprocess.Popen[str]:
    """Start a program over a ledger."""
    command = [sys.executable, "-m", "tests.faults.ledger_programs", program, url, *map(str, numbers)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def answered_until_killed(process: subprocess.Popen[str], answers: int, delay_s: float = 0.0) -> list[str]:
    """Read a number of answers, kill the process, and return all the answers that it gave.

    Args:
        delay_s: how long after the last of these answers it is killed: an answer comes at one moment of a commit, kills at all.
    """
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(answers)]
    time.sleep(delay_s)
    process.kill()
    seen += process.communicate()[0].splitlines(keepends=True)
    return [line.strip() for line in seen if line.endswith("\n")]
