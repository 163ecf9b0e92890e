"""A plan as plain JSON, and back: what the service sends and a ledger keeps (`council.plan/1`)."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from policies.faults import Fault, InvalidInputError, pointer
from story.planner.plan import SCHEMA, Explained, Plan
from story.tale.plain import plain, read

_ADAPTER: Final = TypeAdapter(Plan)


def plan_to_wire(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain JSON."""
    return {"schema": SCHEMA, **plain(plan)}


def plan_from_wire(document: Any) -> Plan:
    """Read a plan back: the inverse of `plan_to_wire`.

    Raises:
        InvalidInputError: with every place that does not fit.
    """
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise InvalidInputError([Fault(pointer("schema"), "not a plan", f"send a document of schema {SCHEMA!r}")])
    return read(_ADAPTER, {key: value for key, value in document.items() if key != "schema"}, "a plan")


def explained_to_wire(explained: tuple[Explained, ...]) -> list[dict[str, Any]]:
    """Return why each beat was chosen, as plain JSON: for --why, never for prose."""
    return [dict(plain(each)) for each in explained]
