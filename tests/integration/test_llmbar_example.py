"""The example of docs/evals/tuning.md: every command of it is run, and prints what the page says."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.main import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "evals" / "tuning.md").read_text("utf-8")


class Shown(NamedTuple):
    """A command of the page, and what it prints there."""

    command: str
    printed: str


def shown() -> list[Shown]:
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for part in block.split("$ council ")[1:]:
            command, _, printed = part.partition("\n")
            found.append(Shown(command, printed))
    return found


def words(text: str) -> list[str]:
    """Return lines without the blanks at their ends, and without blank lines at the end."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def test_every_command_of_the_page_prints_what_the_page_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    commands = shown()
    assert [command.command.split()[:2] for command in commands] == [["eval", "import"], ["eval", "tune"]]
    for command, printed in commands:
        assert main(shlex.split(command)) == 0
        assert words(capsys.readouterr().out) == words(printed), command


@pytest.mark.parametrize(
    ("claim", "figure"),
    [
        ("right on 95 of 100 items (0.89 to 0.98)", "0.950 (0.890 to 0.980)"),
        ("GPT-4, is right on 93, since it abstains on 5", "GPT-4             95           5      93"),
        ("Falcon is silent on 48 items", "Falcon            52          48"),
        ("drawn all the way to equal", "drawn 100% of the way to equal weights"),
        ("Equal weights it is", "no gain that the data can show: keep equal weights"),
        (
            "ChatGPT and LLaMA2 both voted, they were wrong on the same items",
            "ChatGPT and LLaMA2 err together (phi 1.000",
        ),
    ],
)
def test_what_the_page_concludes_stands_in_what_it_prints(claim: str, figure: str) -> None:
    assert claim in PAGE.replace("\n", " ").replace("  ", " ")
    assert any(figure in command.printed for command in shown())
