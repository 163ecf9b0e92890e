"""The env file: variables for a process that nobody wants to export by hand, NAME=value on each line.

The environment wins over the file. Two kinds of variables are taken from it, settings (COUNCIL_...) and the keys that the
policy's endpoints name; nothing is put into the process's own environment. A dollar sign means itself.
"""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dotenv.parser import Binding, parse_stream

from gateway.errors import SettingsError

VARIABLE: Final = "COUNCIL_ENV_FILE"
DEFAULT: Final = ".env"
MAX_BYTES: Final = 65_536


def file_variables(environ: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Return the variables of the env file: the one that COUNCIL_ENV_FILE names, or .env in the working directory.

    Empty where COUNCIL_ENV_FILE is empty, and where it is not set and there is no .env.

    Args:
        environ: stands in for the process's environment.

    Raises:
        SettingsError: naming every line that cannot be read, and never what stands on it.
    """
    named = (os.environ if environ is None else environ).get(VARIABLE, DEFAULT)
    if not named:
        return {}
    try:
        with Path(named).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise SettingsError([f"{named}: longer than {MAX_BYTES} bytes; keep settings and keys in it, nothing else"])
        return _read(named, raw.decode("utf-8"))
    except FileNotFoundError:
        if named == DEFAULT:
            return {}
        raise SettingsError([f"{VARIABLE}={named!r}: there is no such file; check the path, or unset it"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{named}: is not UTF-8; save it as UTF-8"]) from None
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or "is not a path"
        raise SettingsError(
            [f"{named}: cannot be read: {told}; check its rights, or set {VARIABLE} to nothing"]
        ) from None


def _read(file: str, text: str) -> dict[str, str]:
    read: dict[str, str] = {}
    faults = []
    for binding in parse_stream(io.StringIO(text)):
        fault = _fault_of(binding)
        if fault:
            faults.append(f"{file}:{_line(binding)}: {fault}")
        elif binding.key is not None and binding.value is not None:
            read[binding.key] = binding.value
    if faults:
        raise SettingsError(faults)
    return read


def _fault_of(binding: Binding) -> str:
    if binding.error or (binding.key is not None and binding.value is None):
        return "is not NAME=value; quote values that hold quotes, begin remarks with #"
    if binding.key == VARIABLE:
        return f"{VARIABLE} says which file this is; set it in the environment"
    return ""


def _line(binding: Binding) -> int:
    """Return the line of a binding; the parser counts the empty lines before it as its own."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
