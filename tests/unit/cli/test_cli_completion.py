"""Completion scripts: every command and option, and a bash that really completes them."""

import shutil
import subprocess

import pytest

from cli.commands import COMMANDS
from cli.completion import Completed, bash_script, completed_commands, fish_script, zsh_script
from cli.main import main

SAMPLE = (
    Completed("review", "Review it: now", (("--json", "Print 'JSON'."), ("--help", "Show this."))),
    Completed(
        "policy",
        "Policies",
        (("--help", "Show this."),),
        (
            Completed("show", "Show one", (("--realm", "Only this realm."),)),
            Completed("lint", "Check one", (), (Completed("review", "As a reviewer", (("--by", "Who says so."),)),)),
        ),
    ),
)


def bash_completes(script: str, *words: str) -> list[str]:
    """Ask a real bash what it offers for the last word of a command line."""
    line = " ".join(f"'{word}'" for word in words)
    typed = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}"
    asked = f"{script}\n{typed}; _council; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run([bash, "-c", asked], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("council", "re"), ["review"]),
        (("council", "--"), ["--help", "--version"]),
        (("council", "review", "--j"), ["--json"]),
        (("council", "policy", ""), ["show", "lint", "--help"]),
        (("council", "policy", "show", "--r"), ["--realm"]),
        (("council", "policy", "show", "review", "--r"), ["--realm"]),
        (("council", "policy", "lint", ""), ["review"]),
        (("council", "policy", "lint", "review", "--"), ["--by"]),
        (("council", "policy", "--help", "lint", "re"), ["review"]),
        (("council", "review", "some-file"), []),
    ],
)
def test_bash_offers_what_fits(words: tuple[str, ...], offered: list[str]) -> None:
    assert bash_completes(bash_script(SAMPLE), *words) == offered


def test_zsh_describes_commands_and_escapes_what_it_would_misread() -> None:
    script = zsh_script(SAMPLE)
    assert script.startswith("#compdef council\n")
    assert r"below=('review:Review it\: now' 'policy:Policies')" in script
    assert "'--json:Print ’JSON’.'" in script
    assert "\"policy show\") found=('--realm:Only this realm.') ;;" in script
    assert "\"policy lint\") below=('review:As a reviewer') ;;" in script


def test_fish_offers_options_of_the_command_that_was_typed() -> None:
    script = fish_script(SAMPLE)
    assert "complete -c council -n __fish_use_subcommand -f -a review -d 'Review it: now'" in script
    assert "complete -c council -n '__fish_seen_subcommand_from review' -l json -d 'Print ’JSON’.'" in script
    below = "__fish_seen_subcommand_from policy; and __fish_seen_subcommand_from lint"
    named = f"complete -c council -n '{below}; and not __fish_seen_subcommand_from review' -f -a review"
    assert f"{named} -d 'As a reviewer'" in script
    assert f"complete -c council -n '{below}; and __fish_seen_subcommand_from review' -l by" in script


def test_every_command_and_its_json_option_is_completed() -> None:
    found = {item.name: item for item in completed_commands()}
    assert set(found) == set(COMMANDS)
    for item in found.values():
        for leaf in _leaves(item):
            assert "--json" in dict(leaf.options), leaf.name


def _leaves(item: Completed) -> list[Completed]:
    return [leaf for below in item.commands for leaf in _leaves(below)] or [item]


def test_the_printed_bash_script_is_one_that_bash_accepts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert bash_completes(script, "council", "expl") == ["explain"]
    assert bash_completes(script, "council", "world", "queue", "")[:2] == ["list", "rule"]
    assert bash_completes(script, "council", "world", "queue", "rule", "--be") == ["--because"]


def test_an_unknown_shell_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "use one of: bash, zsh, fish" in capsys.readouterr().err
