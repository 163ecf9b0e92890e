"""A data file of the story as a place to read from: YAML, strict, every fault with its line."""

from pathlib import Path
from typing import Final, TypeVar

from policies.cursor import Complaints, Place
from policies.policy_faults import PolicyFault
from policies.yaml_positions import Dialect, read_yaml

T = TypeVar("T")
_DIALECT: Final = Dialect("story file", "story files", 262_144, 50_000, 8, "start from the shipped files in story/data")


def open_file(path: Path) -> Place:
    """Return the root of a file's document; what is wrong with it as YAML stands in its complaints already.

    Raises:
        InvalidPolicyError: where it cannot be read at all.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "is not UTF-8"
        fault = PolicyFault(path.name, 0, "", f"cannot be read: {reason}", "check the path, and save it as UTF-8")
        Complaints(path.name, {}, [fault]).finish()
        raise AssertionError from error
    sheet = read_yaml(text, path.name, _DIALECT)
    complaints = Complaints(path.name, sheet.lines, sheet.faults, guide=f"the head of story/data/{path.name}")
    return Place(sheet.value, (), complaints)


def finished(root: Place, value: T) -> T:
    """Return what was read from a file, if nothing was wrong with it.

    Raises:
        InvalidPolicyError: with every fault that was found.
    """
    root.complaints.finish()
    return value
