"""`council completion`: a script that completes commands and options without starting Python at every key press."""

import importlib
from typing import Annotated, Any, Literal, NamedTuple, get_args

import typer
from typer.main import get_command

from cli.commands import COMMANDS
from cli.errors import CliError
from cli.options import AsJson
from cli.output import write_json, write_line
from cli.running import new_app

app = new_app()
Shell = Literal["bash", "zsh", "fish"]


class Completed(NamedTuple):
    """A command as a shell completes it."""

    name: str
    summary: str
    options: tuple[tuple[str, str], ...]
    """(option, help) pairs."""
    commands: tuple["Completed", ...] = ()


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell to complete in.")],
    as_json: AsJson = False,
) -> None:
    """Print the completion script for bash, zsh or fish.

    bash: council completion bash > ~/.local/share/bash-completion/completions/council.
    zsh: council completion zsh > a file named _council in a directory of $fpath.
    fish: council completion fish > ~/.config/fish/completions/council.fish.
    """
    if shell not in get_args(Shell):
        raise CliError(f"unknown shell {shell!r}", f"use one of: {', '.join(get_args(Shell))}")
    found = completed_commands()
    if as_json:
        write_json({"shell": shell, "commands": found})
        return
    write_line({"bash": bash_script, "zsh": zsh_script, "fish": fish_script}[shell](found))


def completed_commands() -> tuple[Completed, ...]:
    """Return every command with its options, read from the commands themselves."""
    found = []
    for name, command in COMMANDS.items():
        loaded: Any = get_command(importlib.import_module(command.module).app)
        found.append(_completed(name, command.summary, loaded))
    return tuple(found)


def bash_script(commands: tuple[Completed, ...]) -> str:
    """Return the completion script for bash."""
    cases = [f'    {name}) words="{" ".join(words)}" ;;' for name, words in _words(commands)]
    lines = [
        "# Completion of `council` for bash.",
        "_council() {",
        '  local current="${COMP_WORDS[COMP_CWORD]}" command="${COMP_WORDS[1]}" words=""',
        '  [ "$COMP_CWORD" -gt 2 ] && case "${COMP_WORDS[1]}" in',
        f"    {'|'.join(item.name for item in commands if item.commands)})"
        ' command="${COMP_WORDS[1]} ${COMP_WORDS[2]}" ;;',
        "  esac",
        '  [ "$COMP_CWORD" -eq 1 ] && command=""',
        '  case "$command" in',
        *cases,
        "  esac",
        '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
        "}",
        "complete -o default -F _council council",
    ]
    return "\n".join(lines)


def zsh_script(commands: tuple[Completed, ...]) -> str:
    """Return the completion script for zsh."""
    lines = ["#compdef council", "_council() {", "  local -a found", '  case "$CURRENT:$words[2]" in']
    lines.append(f"    2:*) found=({_described(commands)}); _describe command found; return ;;")
    lines += [
        f"    3:{item.name}) found=({_described(item.commands)}); _describe command found; return ;;"
        for item in commands
        if item.commands
    ]
    lines += ["  esac", '  case "$words[2] $words[3]" in']
    for item in commands:
        lines += [f'    "{item.name} {sub.name}") found=({_options(sub)}) ;;' for sub in item.commands]
        lines += [f'    "{item.name} "*) found=({_options(item)}) ;;'] if not item.commands else []
    lines += [
        "  esac",
        '  if [[ "$words[CURRENT]" == -* ]]; then _describe -o option found; else _files; fi',
        "}",
        'if [[ "$funcstack[1]" == _council ]]; then _council "$@"; else compdef _council council; fi',
    ]
    return "\n".join(lines)


def fish_script(commands: tuple[Completed, ...]) -> str:
    """Return the completion script for fish."""
    lines = ["# Completion of `council` for fish."]
    for item in commands:
        lines.append(f"complete -c council -n __fish_use_subcommand -f -a {item.name} -d {_quoted(item.summary)}")
        seen = f"__fish_seen_subcommand_from {item.name}"
        lines += [_fish_option(seen, option, words) for option, words in item.options]
        names = " ".join(sub.name for sub in item.commands)
        for sub in item.commands:
            unseen = f"{seen}; and not __fish_seen_subcommand_from {names}"
            lines.append(f"complete -c council -n '{unseen}' -f -a {sub.name} -d {_quoted(sub.summary)}")
            within = f"{seen}; and __fish_seen_subcommand_from {sub.name}"
            lines += [_fish_option(within, option, words) for option, words in sub.options]
    return "\n".join(lines)


def _completed(name: str, summary: str, command: Any) -> Completed:
    subcommands = getattr(command, "commands", {})
    below = tuple(_completed(sub, (item.help or "").split("\n")[0], item) for sub, item in subcommands.items())
    options = [
        (option, (parameter.help or "").strip())
        for parameter in command.params
        if parameter.param_type_name == "option"
        for option in parameter.opts
        if option.startswith("--")
    ]
    return Completed(name, summary, (*options, ("--help", "Show this message and exit.")), below)


def _words(commands: tuple[Completed, ...]) -> list[tuple[str, list[str]]]:
    found = [('""', [*(item.name for item in commands), "--help", "--version"])]
    for item in commands:
        names = [sub.name for sub in item.commands]
        found.append((item.name, [*names, *(option for option, _ in item.options)]))
        found += [(f'"{item.name} {sub.name}"', [option for option, _ in sub.options]) for sub in item.commands]
    return found


def _described(commands: tuple[Completed, ...]) -> str:
    return " ".join(_quoted(f"{item.name}:{_without_colons(item.summary)}") for item in commands)


def _options(item: Completed) -> str:
    return " ".join(_quoted(f"{option}:{_without_colons(words)}") for option, words in item.options)


def _fish_option(condition: str, option: str, words: str) -> str:
    return f"complete -c council -n '{condition}' -l {option.removeprefix('--')} -d {_quoted(words)}"


def _without_colons(words: str) -> str:
    return words.replace(":", "\\:")


def _quoted(words: str) -> str:
    return "'" + words.replace("'", "’") + "'"
