"""The settings as `council config` lists them: values, defaults, meanings, and never a secret."""

import os
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from pydantic import SecretStr

from gateway.env_file import file_variables
from gateway.settings import PREFIX, Settings

HIDDEN: Final = "********"
Source = Literal["environment", "env file", "default", "command line"]
_PASSWORD = re.compile(r"^([^:@/]*:).*(?=@)")


class ShownSetting(NamedTuple):
    """One line of `council config`."""

    variable: str
    value: str
    """The value in use; secrets are hidden."""
    default: str
    source: Source
    meaning: str


def shown_settings(settings: Settings, environ: Mapping[str, str] | None = None) -> tuple[ShownSetting, ...]:
    """List every setting in the order of the class.

    Args:
        settings: the settings in use.
        environ: stands in for the process's environment and the env file.
    """
    given = os.environ if environ is None else environ
    beneath = file_variables() if environ is None else {}
    return tuple(_shown(settings, name, given, beneath) for name in Settings.model_fields)


def _shown(settings: Settings, name: str, environ: Mapping[str, str], beneath: Mapping[str, str]) -> ShownSetting:
    field = Settings.model_fields[name]
    variable = PREFIX + name.upper()
    value = getattr(settings, name)
    source: Source = "default"
    if variable in environ:
        source = "environment"
    elif variable in beneath:
        source = "env file"
    elif value != field.default:
        source = "command line"
    meaning = field.description or ""
    return ShownSetting(variable, _text(name, value), _text(name, field.default), source, meaning)


def _text(name: str, value: Any) -> str:
    if value is None:
        return "(not set)"
    if not isinstance(value, SecretStr):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return hide_password(value.get_secret_value()) if name in ("database_url", "redis_url") else HIDDEN


def hide_password(url: str) -> str:
    """Return a database URL without the password in it.

    >>> hide_password("postgresql://council:hunter2@db/council")
    'postgresql://council:********@db/council'
    """
    scheme, mark, rest = url.partition("://")
    return scheme + mark + _PASSWORD.sub(rf"\g<1>{HIDDEN}", rest) if mark else url
