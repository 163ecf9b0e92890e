"""The files of a suite: YAML sheets and JSON requests, opened once each, with everything that is wrong with them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from evals.errors import FileFault
from policies.cursor import Complaints, Place
from policies.faults import InvalidInputError, did_you_mean
from policies.strict_json import parse_strict
from policies.yaml_positions import Dialect, Sheet, read_yaml

GUIDE: Final = "docs/evals/suites.md"
DIALECT: Final = Dialect(
    "suite", "suites", 4_194_304, 400_000, 32, "docs/evals/suites.md begins with a small one", reads_floats=True
)


class File(NamedTuple):
    """One YAML file of a suite."""

    path: Path
    place: Place
    """Its whole document; value None where it could not be read."""
    sheet: Sheet


class Files:
    """Opens the files of one suite and keeps what is wrong with any of them."""

    def __init__(self) -> None:
        self._files: list[File] = []
        self._others: list[FileFault] = []
        self._requests: dict[Path, dict[str, Any] | None] = {}

    def open(self, path: Path, named_at: Place | None = None) -> File:
        """Open a YAML file; one that cannot be read is a fault of the place that names it, or its own."""
        text = self._text(path, named_at)
        sheet = read_yaml(text, str(path), DIALECT) if text is not None else Sheet(None, {}, ())
        complaints = Complaints(str(path), sheet.lines, sheet.faults, guide=GUIDE)
        file = File(path, Place(sheet.value, (), complaints), sheet)
        self._files.append(file)
        if sheet.value is None and text is not None and not sheet.faults:
            file.place.fault("the file holds nothing", "write a suite, or remove the file")
        return file

    def request(self, path: Path, named_at: Place) -> dict[str, Any] | None:
        """Return the JSON object of a file, or None where there is none; each file is read once."""
        if path not in self._requests:
            self._requests[path] = self._read_request(path, named_at)
        elif self._requests[path] is None:
            named_at.fault(f"the file {path.name!r} cannot be used", "its fault is listed")
        return self._requests[path]

    def add(self, fault: FileFault) -> None:
        """Keep a fault that no place of a sheet can hold."""
        self._others.append(fault)

    def faults(self) -> tuple[FileFault, ...]:
        """Return everything that is wrong, in the order of files and lines."""
        order = {str(file.path): number for number, file in enumerate(self._files)}
        found = [
            FileFault(fault.file, fault.line, fault.key, fault.message, fault.fix)
            for file in self._files
            for fault in file.place.complaints.faults
        ]
        return tuple(sorted([*found, *self._others], key=lambda fault: (order.get(fault.file, len(order)), fault.line)))

    def _text(self, path: Path, named_at: Place | None) -> str | None:
        try:
            raw = path.read_bytes()
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self.add(FileFault(str(path), line, "", "is not UTF-8", "save it as UTF-8"))
        except (OSError, ValueError) as error:
            self._unreadable(path, named_at, error)
        return None

    def _read_request(self, path: Path, named_at: Place) -> dict[str, Any] | None:
        try:
            value = parse_strict(path.read_bytes()).value
        except (OSError, ValueError) as error:
            self._unreadable(path, named_at, error)
            return None
        except InvalidInputError as error:
            self.add(FileFault(str(path), 0, "", error.faults[0].message, error.faults[0].fix))
            return None
        if not isinstance(value, dict):
            self.add(FileFault(str(path), 0, "", "is not a JSON object", "write one decision request"))
            return None
        return value

    def _unreadable(self, path: Path, named_at: Place | None, error: Exception) -> None:
        said = (error.strerror or "unreadable").lower() if isinstance(error, OSError) else "that is not a path"
        told = f"cannot read {str(path)!r}: {said}"
        if named_at is None:
            self.add(FileFault(str(path), 0, "", told, "check the path"))
        else:
            named_at.fault(told, "paths are relative to the file that names them")


class Bases:
    """Requests that cases start from, by name; known to every file of the suite."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._bases: dict[str, Mapping[str, Any] | None] = {}

    def read(self, place: Place, file: File) -> None:
        """Take in the bases of one file."""
        for name, item in place.entries().items():
            if name in self._bases:
                item.fault(f"there is a base {name!r} already", "give every base a name of its own")
            else:
                self._bases[name] = self._base(item, file)

    def named(self, place: Place) -> Mapping[str, Any] | None:
        """Return a base, or None where it is unknown or could not be read."""
        name = place.text(128)
        if name and name not in self._bases:
            place.fault(f"there is no base {name!r}", did_you_mean(name, list(self._bases)) if self._bases else "")
        return self._bases.get(name)

    def _base(self, item: Place, file: File) -> Mapping[str, Any] | None:
        fields = item.fields({"file": None, "request": None})
        if not fields:
            return None
        if (fields["file"].value is None) == (fields["request"].value is None):
            item.fault("needs a file or a request, and not both", "write {file: requests/quiet.json}")
            return None
        if fields["file"].value is not None:
            name = fields["file"].text(1_000)
            return self._files.request(file.path.parent / name, fields["file"]) if name else None
        return request_of(fields["request"])


def request_of(place: Place) -> Mapping[str, Any] | None:
    """Return an inline request's document; whether it is a valid one is seen once its edits are made."""
    if not isinstance(place.value, Mapping):
        place.fault("must be a request", "write its fields below it: council schema request")
        return None
    return place.value
