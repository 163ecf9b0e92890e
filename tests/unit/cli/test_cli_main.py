"""The entry point: fast help, a table that tells the truth, and errors that teach."""

import importlib
import subprocess
import sys

import pytest
from typer.main import get_command

from cli.commands import COMMANDS, overview
from cli.exits import Exit
from cli.main import main
from cli.running import PACKAGES
from tests.unit.cli.golden_files import assert_golden


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_is_the_overview_of_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == Exit.GOOD
    out = capsys.readouterr().out
    assert out == overview() + "\n"
    assert_golden("help", out)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_commands_own_docstrings_say(name: str) -> None:
    command = get_command(importlib.import_module(COMMANDS[name].module).app)
    assert (command.help or "").split("\n")[0] == COMMANDS[name].summary


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_json_and_help(name: str) -> None:
    command = get_command(importlib.import_module(COMMANDS[name].module).app)
    leaves = list(getattr(command, "commands", {}).values()) or [command]
    for leaf in leaves:
        options = {option for parameter in leaf.params for option in parameter.opts}
        assert "--json" in options, leaf.name


def test_help_loads_neither_typer_nor_rich_nor_any_package_of_ours_but_cli() -> None:
    """The budget is six bare interpreter starts (issue, speed); importing typer alone costs more than that."""
    script = "import sys; from cli.main import main; main(['--help']); print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert loaded.isdisjoint({"typer", "rich", "click", "pydantic", "orjson", "asyncio", *PACKAGES})


def test_a_misspelled_command_is_answered_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reviw"]) == Exit.UNJUDGED
    assert capsys.readouterr().err == "council: unknown command 'reviw'\n  → did you mean 'council review'?\n"


def test_an_unknown_word_is_answered_with_the_way_to_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qqqq"]) == Exit.UNJUDGED
    assert capsys.readouterr().err == "council: unknown command 'qqqq'\n  → 'council --help' lists every command\n"


def test_control_characters_of_a_wrong_word_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["\x1b[2Jreview"]) == Exit.UNJUDGED
    assert "\x1b" not in capsys.readouterr().err


def test_an_unknown_option_exits_with_2_and_names_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", "--jso"]) == Exit.UNJUDGED
    err = capsys.readouterr().err
    assert "No such option: --jso" in err
    assert "--json" in err


def test_version_names_the_product(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == Exit.GOOD
    assert capsys.readouterr().out.startswith("world-council")


def test_a_missing_file_is_an_error_in_json_where_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", "no/such/file.jsonl", "--json"]) == Exit.UNJUDGED
    assert capsys.readouterr().err == (
        '{"error":"cannot read \'no/such/file.jsonl\': no such file or directory",'
        '"fix":"check the path; \'-\' reads standard input"}\n'
    )


def test_a_defect_of_ours_never_looks_like_a_mismatch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 means that a check failed; a crash judged nothing."""
    module = importlib.import_module("cli.merge")

    def broken(line: bytes) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "merge_line", broken)
    monkeypatch.setattr(module, "lines_of", _one_line)
    assert main(["merge", "-"]) == Exit.UNJUDGED
    assert "this is a defect of the council" in capsys.readouterr().err


def test_a_reader_that_leaves_early_ends_the_command_quietly() -> None:
    script = (
        "import sys; from cli.main import main; sys.exit(main(['schema']))"  # about 50 kB: more than a pipe's start
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        err = started.stderr.read()
        assert started.wait() == Exit.READER_GONE
    assert err == b""


class _one_line:  # noqa: N801 - stands for a function
    def __init__(self, file: str) -> None:
        self.lines = [b"{}\n"]

    def __enter__(self) -> list[bytes]:
        return self.lines

    def __exit__(self, *error: object) -> None:
        return None
