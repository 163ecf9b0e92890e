"""Versions of the members' prompts: directories of prompt files, laid over those that ship."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from agents.prompt_files import HERE, SHARED, PromptFileError, parse_prompt_file, prompt_file
from evals.errors import FileFault, InvalidFileError, NotEnoughError
from policies.faults import did_you_mean
from policies.verdicts import MEMBERS

NAMES: Final = (SHARED, *MEMBERS)
"""What a prompt file may be called, without its ending: what all members share, and a member's own."""
SHIPPED: Final = "shipped"


class PromptVersion(NamedTuple):
    """One version of all members' prompts."""

    name: str
    folder: Path
    changed: tuple[str, ...]
    """Parts whose text is not the one that ships; nothing where the version is the shipped one by content."""


def read_versions(folders: Sequence[Path]) -> tuple[PromptVersion, ...]:
    """Read every version; without a folder, the one that ships.

    A folder is named as `agents/prompts` is: council.md, and MEMBER.md for each member. What it lacks is taken from there. The
    word `shipped` stands for that folder itself.

    Raises:
        InvalidFileError: naming every file that is no prompt or that nobody would read.
        NotEnoughError: for a folder that is not there, that holds nothing, or that is named twice.
    """
    faults: list[FileFault] = []
    found = [_version(folder, faults) for folder in folders or (Path(SHIPPED),)]
    if faults:
        raise InvalidFileError(faults)
    resolved = [version.folder for version in found]
    for folder in resolved:
        if resolved.count(folder) > 1:
            raise NotEnoughError(f"the prompts {folder} are named twice", "name every version once")
    return tuple(_told_apart(found))


def _version(folder: Path, faults: list[FileFault]) -> PromptVersion:
    if str(folder) == SHIPPED and not folder.exists():
        return PromptVersion(SHIPPED, HERE, ())
    if not folder.is_dir():
        raise NotEnoughError(
            f"{folder} is no directory of prompts", f"name a directory, or {SHIPPED!r} for the shipped ones"
        )
    files = sorted(folder.glob("*.md"))
    if not files:
        names = ", ".join(f"{name}.md" for name in NAMES)
        raise NotEnoughError(f"{folder} holds no prompt file", f"it may hold {names}; what it lacks is the shipped one")
    changed = [name for file in files if (name := _changed(file, faults))]
    where = folder.resolve()
    return PromptVersion(where.name, where, tuple([name for name in NAMES if name in changed]))


def _changed(file: Path, faults: list[FileFault]) -> str:
    """Return the part's name where its text is not the one that ships, else ""."""
    if file.stem not in NAMES:
        faults.append(
            FileFault(str(file), 0, "", "no member reads a prompt of this name", did_you_mean(file.stem, NAMES))
        )
        return ""
    try:
        text = parse_prompt_file(file.stem, file.read_text(encoding="utf-8")).text
    except PromptFileError as error:
        faults.append(FileFault(str(file), 1, "", str(error), "see agents/prompts for how they begin"))
        return ""
    except (OSError, UnicodeDecodeError) as error:
        faults.append(FileFault(str(file), 0, "", f"cannot be read: {error}", "write it as UTF-8 text"))
        return ""
    return "" if text == prompt_file(file.stem).text else file.stem


def _told_apart(versions: Sequence[PromptVersion]) -> list[PromptVersion]:
    """Give versions of one directory name the directory above as well."""
    names = [version.name for version in versions]
    return [
        version._replace(name=f"{version.folder.parent.name}/{version.name}")
        if names.count(version.name) > 1
        else version
        for version in versions
    ]
