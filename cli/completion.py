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
    paths = _paths(commands)
    top = " ".join([*(item.name for item in commands), "--help", "--version"])
    lines = [
        "# Completion of `council` for bash.",
        "_council() {",
        '  local current="${COMP_WORDS[COMP_CWORD]}" command="" word words=""',
        '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        *_followed(paths),
        "  done",
        '  case "$command" in',
        f'    "") words="{top}" ;;',
        *[f'    "{path}") words="{" ".join(_words(item))}" ;;' for path, item in paths.items()],
        "  esac",
        '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
        "}",
        "complete -o default -F _council council",
    ]
    return "\n".join(lines)


def zsh_script(commands: tuple[Completed, ...]) -> str:
    """Return the completion script for zsh."""
    paths = _paths(commands)
    groups = {"": commands, **{path: item.commands for path, item in paths.items() if item.commands}}
    lines = [
        "#compdef council",
        "_council() {",
        "  local -a below found",
        '  local command="" word',
        '  for word in "${(@)words[2,CURRENT-1]}"; do',
        *_followed(paths),
        "  done",
        '  case "$command" in',
        *[f'    "{path}") below=({_described(items)}) ;;' for path, items in groups.items()],
        "  esac",
        '  case "$command" in',
        *[f'    "{path}") found=({_options(item)}) ;;' for path, item in paths.items()],
        "  esac",
        '  if [[ "$words[CURRENT]" == -* ]]; then _describe -o option found',
        "  elif (( $#below )); then _describe command below",
        "  else _files; fi",
        "}",
        'if [[ "$funcstack[1]" == _council ]]; then _council "$@"; else compdef _council council; fi',
    ]
    return "\n".join(lines)


def fish_script(commands: tuple[Completed, ...]) -> str:
    """Return the completion script for fish."""
    lines = ["# Completion of `council` for fish."]
    for item in commands:
        lines.append(f"complete -c council -n __fish_use_subcommand -f -a {item.name} -d {_quoted(item.summary)}")
        lines += _fish_lines(item, f"__fish_seen_subcommand_from {item.name}")
    return "\n".join(lines)


def _paths(commands: tuple[Completed, ...], above: str = "") -> dict[str, Completed]:
    """Return every command by the words that name it, such as "world queue rule"."""
    found: dict[str, Completed] = {}
    for item in commands:
        path = f"{above}{item.name}"
        found |= {path: item, **_paths(item.commands, f"{path} ")}
    return found


def _followed(paths: dict[str, Completed]) -> list[str]:
    """Return the shell lines that follow the words typed to the command that they name; options between them are passed over."""
    known = "|".join([f'"{path}"' for path in paths])
    return [
        '    case "${command:+$command }$word" in',
        f'      {known}) command="${{command:+$command }}$word" ;;',
        "    esac",
    ]


def _fish_lines(item: Completed, seen: str) -> list[str]:
    lines = [_fish_option(seen, option, words) for option, words in item.options]
    names = " ".join(sub.name for sub in item.commands)
    for sub in item.commands:
        unseen = f"{seen}; and not __fish_seen_subcommand_from {names}"
        lines.append(f"complete -c council -n '{unseen}' -f -a {sub.name} -d {_quoted(sub.summary)}")
        lines += _fish_lines(sub, f"{seen}; and __fish_seen_subcommand_from {sub.name}")
    return lines


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


def _words(item: Completed) -> list[str]:
    return [*(sub.name for sub in item.commands), *(option for option, _ in item.options)]


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
