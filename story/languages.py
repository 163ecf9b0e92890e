"""The languages that stories are told in (register row S4-58; domain.md C12)."""

from typing import Final, Literal, get_args

Language = Literal["en", "vi", "es"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
