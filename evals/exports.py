"""Exports as files: opened lazily, streamed, read as often as wanted.

A million decisions pass through the memory of one line; only the few policies that decided them are kept.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from evals.decisions import Decision
from evals.errors import EvalsError, FileFault, InvalidFileError
from evals.export_check import ExportCheck
from evals.export_lines import ExportHeader
from policies.loading import policy_from_document, shadow_hashes
from policies.policy import Policy
from policies.policy_faults import InvalidPolicyError

MAX_LINE_BYTES: Final = 64 * 1024 * 1024
"""Longest line that is read. A record holds its request, of at most 1 MiB, and what models said of it."""


class ExportFile:
    """One export; every iteration reads the file anew.

    Args:
        path: the file.
        check_chain: whether iterating proves every record by its hash.
        name: what faults call it, where that is not its path.

    Raises:
        InvalidFileError: where the first line is no header that this version can read.
        EvalsError: where the file cannot be read.
    """

    def __init__(self, path: Path, *, check_chain: bool = True, name: str = "") -> None:
        self.path = path
        self.name = name or str(path)
        self._check_chain = check_chain
        self._documents: dict[str, Mapping[str, Any]] = {}
        self._policies: dict[str, Policy] = {}
        self.header = self._read_header()

    @property
    def is_redacted(self) -> bool:
        """Whether names and texts were replaced: then no record proves itself."""
        return self.header.redaction is not None

    @property
    def policies(self) -> dict[str, Policy]:
        """The policies that have come by, shadows included, by content hash.

        Raises:
            InvalidFileError: where a document is none that this version can read.
        """
        return {content_hash: self._built(content_hash) for content_hash in self._documents}

    def policy(self, content_hash: str) -> Policy | None:
        """Return a policy that has come by, with its shadows; None where there was none of that hash.

        Raises:
            InvalidFileError: where its document is none that this version can read.
        """
        return self._built(content_hash) if content_hash in self._documents else None

    def __iter__(self) -> Iterator[Decision]:
        """Yield every decision in the order of the file: chain after chain.

        Raises:
            InvalidFileError: at the first line that is wrong, a broken chain, or a missing end.
        """
        check = ExportCheck(self.name, check_chain=self._check_chain)
        for _, line in self.raw_lines():
            decision = check.feed(line)
            if decision is not None:
                yield decision
            else:
                self._documents.update(check.documents)
        check.finish()

    def raw_lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield every line with its number, counted from 1, without its line feed and unchecked.

        Raises:
            InvalidFileError: for a line longer than MAX_LINE_BYTES.
            EvalsError: where the file cannot be read.
        """
        number = 0
        try:
            with self.path.open("rb") as opened:
                while line := opened.readline(MAX_LINE_BYTES + 1):
                    number += 1
                    if len(line) > MAX_LINE_BYTES:
                        raise self._too_long(number)
                    yield number, line.removesuffix(b"\n")
        except OSError as error:
            told = f"cannot read {self.name!r}: {(error.strerror or str(error)).lower()}"
            raise EvalsError(told, "name a file that 'council export FILE' wrote") from None

    def _read_header(self) -> ExportHeader:
        check = ExportCheck(self.name)
        for _, line in self.raw_lines():
            check.feed(line)
            if check.header is not None:
                return check.header
        check.finish()
        raise AssertionError("unreachable")

    def _too_long(self, number: int) -> InvalidFileError:
        told, fix = f"is longer than {MAX_LINE_BYTES} bytes", "an export has one JSON object a line"
        return InvalidFileError([FileFault(self.name, number, "", told, fix)])

    def _built(self, content_hash: str) -> Policy:
        if content_hash not in self._policies:
            document = self._documents[content_hash]
            shadows = [self._built(shadow) for shadow in shadow_hashes(document) if shadow in self._documents]
            try:
                self._policies[content_hash] = policy_from_document(document, shadows)
            except InvalidPolicyError as error:
                told = f"the policy {content_hash[:12]} cannot be read: {error.faults[0]}"
                fix = "read the export with the version that wrote it"
                raise InvalidFileError([FileFault(self.name, 0, "document", told, fix)]) from None
        return self._policies[content_hash]


def open_export(path: Path | str, *, check_chain: bool = True, name: str = "") -> ExportFile:
    """Open an export.

    Args:
        check_chain: whether iterating proves every record by its hash.
        name: what faults call it, where that is not its path.

    Raises:
        InvalidFileError: where the first line is no header that this version can read.
        EvalsError: where the file cannot be read.
    """
    return ExportFile(Path(path), check_chain=check_chain, name=name)
