"""The sidecar: used where the export is the one that it was made from, made again in every other case, never trusted."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evals.column_reading import read_columns
from evals.columns import Columns
from evals.exports import open_export
from evals.sidecar import MAGIC, columns_beside, sidecar_path
from tests.unit.evals.exported import export_lines, write_export
from tests.unit.evals.recorded import recorded

VERSION = "1"


class Reader:
    """Reads an export and counts how often it had to, and what it was told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reads = 0
        self.notes: list[str] = []

    def read(self) -> Columns:
        self.reads += 1
        return read_columns(open_export(self.path))

    def __call__(self, made_by: str = VERSION) -> Columns:
        return columns_beside(self.path, self.read, self.notes.append, made_by=made_by)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(write_export(tmp_path / "export.jsonl", export_lines(recorded())))


def test_a_second_reading_comes_from_the_sidecar_and_is_the_same(reader: Reader) -> None:
    first, second = reader(), reader()
    assert reader.reads == 1
    assert reader.notes == []
    assert (second.realms, second.policies, second.casts) == (first.realms, first.policies, first.casts)
    assert second.documents == first.documents
    for name in first.arrays._fields:
        one, other = getattr(first.arrays, name), getattr(second.arrays, name)
        assert one.dtype == other.dtype, name
        assert np.array_equal(one, other), name


def test_an_export_that_was_touched_or_copied_is_known_by_its_bytes(reader: Reader) -> None:
    reader()
    raw = reader.path.read_bytes()
    reader.path.unlink()
    reader.path.write_bytes(raw)
    os.utime(reader.path, (1, 1))
    reader()
    assert reader.reads == 1


def test_an_export_with_other_bytes_of_the_same_size_and_time_is_read_again(reader: Reader) -> None:
    reader()
    was = reader.path.stat()
    lines = export_lines(recorded(), header=None)
    swapped = [line.replace(b'"after":0', b'"after":1') for line in lines]
    write_export(reader.path, swapped)
    os.utime(reader.path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert reader.path.stat().st_size == was.st_size
    with pytest.raises(Exception, match="must follow"):
        reader()
    assert reader.reads == 2
    assert reader.notes == ["export.jsonl.columns is of another export: reading the export again"]


def damaged(raw: bytes, how: str) -> bytes:
    match how:
        case "cut off":
            return raw[:-100]
        case "empty":
            return b""
        case "one bit of the arrays":
            return raw[:-200] + bytes([raw[-200] ^ 1]) + raw[-199:]
        case "one letter of the header":
            return raw.replace(b'"realm-1"', b'"realm-2"', 1)
        case "longer":
            return raw + b"\0" * 64
        case _:
            return raw.replace(MAGIC, b"council.columns/0\n", 1)


@pytest.mark.parametrize(
    "how", ["cut off", "empty", "one bit of the arrays", "one letter of the header", "longer", "another version"]
)
def test_a_damaged_sidecar_is_made_again_and_that_is_said(reader: Reader, how: str) -> None:
    good = reader()
    path = sidecar_path(reader.path)
    path.write_bytes(damaged(path.read_bytes(), how))
    again = reader()
    assert reader.reads == 2
    assert reader.notes == ["export.jsonl.columns is damaged, or of another version: reading the export again"]
    assert again.realms == good.realms
    reader()
    assert reader.reads == 2


def test_another_version_of_the_product_reads_for_itself(reader: Reader) -> None:
    reader()
    reader("2")
    assert reader.reads == 2
    assert reader.notes == ["export.jsonl.columns was made by version 1: reading the export again"]


def test_a_sidecar_that_cannot_be_written_costs_only_time(reader: Reader) -> None:
    sidecar_path(reader.path).mkdir()
    reader()
    assert reader.reads == 1
    assert [note.split(":")[0] for note in reader.notes] == [
        "export.jsonl.columns cannot be read",
        "export.jsonl.columns could not be written",
    ]
    assert list(reader.path.parent.glob("*.partial")) == []


def test_columns_of_a_file_that_changed_while_it_was_read_are_not_kept(reader: Reader) -> None:
    def read_and_touch() -> Columns:
        columns = reader.read()
        time.sleep(0.01)
        os.utime(reader.path)
        return columns

    columns_beside(reader.path, read_and_touch, reader.notes.append, made_by=VERSION)
    assert not sidecar_path(reader.path).exists()
    assert reader.notes == ["export.jsonl changed while it was read: its columns are not kept"]


def test_an_empty_export_has_a_sidecar_too(tmp_path: Path) -> None:
    reader = Reader(write_export(tmp_path / "none.jsonl", export_lines([])))
    made: list[Callable[[], Columns]] = [reader, reader]
    assert [len(each()) for each in made] == [0, 0]
    assert reader.reads == 1
