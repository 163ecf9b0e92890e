"""What may be asked of the listing of decisions; anything else is refused (register row S0-86)."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from council.ledger.port import Filters
from policies.contracts.base import Id
from policies.verdicts import DecisionType, Path, Verdict

MAX_LIMIT: Final = 200
"""Most decisions on one page."""


def _written_out(moment: object) -> object:
    """Refuse bare numbers: pydantic would take them for seconds since 1970, which the document does not promise."""
    if isinstance(moment, str) and not moment[4:5] == "-":
        raise ValueError("write it out as a date and time with a zone, like 2026-11-21T09:30:00Z")
    return moment


Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC)),
    BeforeValidator(_written_out),
]
"""A time that can be told in UTC whatever its zone."""


class ListQuery(BaseModel):
    """Filters and paging, as query parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    realm_id: Id | None = None
    decision_type: DecisionType | None = None
    verdict: Verdict | None = None
    path: Path | None = None
    held: bool | None = None
    """Whether the case waits for a person."""
    policy_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    since: Moment | None = None
    """Earliest time of record, included."""
    until: Moment | None = None
    """Latest time of record, excluded."""
    cursor: Annotated[str, Field(max_length=128)] | None = None
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 50

    def filters(self) -> Filters:
        """Return what the listing keeps, times in the form of the records."""
        return Filters(
            self.realm_id,
            self.decision_type,
            self.verdict,
            self.path,
            self.held,
            self.policy_hash,
            _recorded(self.since),
            _recorded(self.until),
        )


def _recorded(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
