"""How a data file of one language is opened: grammar, lexicon and recap alike, each with its schema and its language on top."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from policies.cursor import REQUIRED, Place
from story.languages import LANGUAGES, Language
from story.planner.data_files import finished, open_file
from story.prose.grammar import Lines

T = TypeVar("T")
_DATA: Final = Path(__file__).parent.parent / "data"


def shipped(kind: str, language: Language) -> Path:
    """Return where the shipped file of a kind, such as grammar, and a language stands."""
    return _DATA / kind / f"{language}.yaml"


def read_language_file(
    path: Path | str, schema: str, keys: Sequence[str], make: Callable[[Language, Mapping[str, Place]], T]
) -> T:
    """Return what is made of a file's fields.

    Args:
        schema: what its `schema` must say.
        keys: the fields that it has beside `schema` and `language`, all required.
        make: reads them.

    Raises:
        InvalidPolicyError: with every fault of the file.
    """
    root = open_file(Path(path))
    fields = root.fields(dict.fromkeys(("schema", "language", *keys), REQUIRED))
    if not fields:
        root.complaints.finish()
        raise AssertionError("a file without its fields has a fault")
    fields["schema"].choice([schema])
    return finished(root, make(fields["language"].choice(LANGUAGES), fields))


def alternatives(text: str) -> Lines:
    """Return the lines of a block, one alternative each; empty ones are passed over."""
    return tuple([line.strip() for line in text.splitlines() if line.strip()])
