"""What every wire model shares: strict, frozen, no unknown fields, and its limits in one place."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

MAX_EFFECTS: Final = 64
MAX_EVENTS: Final = 512
MAX_FLAGS: Final = 128
MAX_LOCKS: Final = 256
MAX_FACTIONS: Final = 64
MAX_TERRITORIES: Final = 512
MAX_METERS: Final = 64
MAX_HISTORY: Final = 96
"""Earlier ticks in a snapshot: one day of 15-minute ticks."""

Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\w.:@/+\-]+$")]
"""An identifier: letters of any script, digits and . : @ / + - _."""
Line = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of text."""
Text = Annotated[str, Field(max_length=8000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
"""Several lines of text: tabs and newlines, no other control characters."""
Meter = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class Wire(BaseModel):
    """Base of the wire models: strict types, immutable, unknown fields refused."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=False
    )
