"""Bodies of the world's endpoints: strict JSON, strict fields, and no points but the catalogue's (S0-65, S0-86, S0-87)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from gateway.body import RequestRefusedError, read_body
from gateway.problems import Problem, problem_of
from gateway.world_asked import MAX_ACTS
from gateway.world_parts import WorldParts
from gateway.world_problems import UNKNOWN_REALM
from policies.contracts.reading import describe
from policies.contracts.request import ImpactCandidate
from policies.faults import Fault, InvalidInputError, pointer
from policies.strict_json import parse_strict
from world.errors import UnknownRealmError

Asked = TypeVar("Asked", bound=BaseModel)
_SCORED: Final = re.compile(r"normali[sz]|effectivepoints?|awardedpoints?|finalpoints?|weightedpoints?")
"""How points that only the server makes are called, without case and signs."""
_SIGNS: Final = re.compile(r"[^a-z0-9]")


class Submission(NamedTuple):
    """Acts as they were sent."""

    acts: tuple[ImpactCandidate, ...]
    is_batch: bool


async def body_of(request: Request, parts: WorldParts) -> bytes:
    """Return a request's body within the caps.

    Raises:
        RequestRefusedError: for one not declared as JSON, compressed, too large or too slow.
        GoneError: where the caller hung up.
    """
    headers: dict[bytes, bytes] = request.scope["council.headers"]
    return await read_body(headers, request.receive, max_bytes=parts.max_body_bytes, timeout_s=parts.body_timeout_s)


@contextmanager
def known_realm() -> Iterator[None]:
    """Refuse a body that names no realm of the world: 422, for it is a field that is wrong; in a path it is 404.

    Raises:
        RequestRefusedError: in place of `UnknownRealmError`.
    """
    try:
        yield
    except UnknownRealmError:
        raise RequestRefusedError(UNKNOWN_REALM) from None


def read_asked(raw: bytes, model: type[Asked], max_bytes: int) -> Asked:
    """Read a body strictly.

    Raises:
        RequestRefusedError: with every fault.
    """
    try:
        return _validated(parse_strict(raw, max_bytes=max_bytes).value, model, ())
    except InvalidInputError as error:
        raise refused(error) from None


def read_submission(raw: bytes, max_bytes: int) -> Submission:
    """Read one act, a list of acts, or {"events": [...]}.

    Raises:
        RequestRefusedError: with every fault; of a batch, whole: nothing of it was entered.
    """
    try:
        return _submission(parse_strict(raw, max_bytes=max_bytes).value)
    except InvalidInputError as error:
        raise refused(error) from None


def refused(error: InvalidInputError) -> RequestRefusedError:
    """Return the refusal of a body with faults."""
    found = problem_of(error)
    assert found is not None
    problem: Problem = found if found.status == 400 else found._replace(title="the body is not valid")
    return RequestRefusedError(problem)


def _submission(tree: Any) -> Submission:
    if isinstance(tree, list):
        return Submission(_acts(tree, ()), True)
    if not isinstance(tree, dict):
        raise InvalidInputError([Fault("", "is no act", 'send one act, a list of acts, or {"events": [...]}')])
    if "events" not in tree:
        return Submission((_act(tree, ()),), False)
    unknown = [Fault(pointer(key), "unknown field", "remove it") for key in tree if key != "events"]
    if unknown or not isinstance(tree["events"], list):
        raise InvalidInputError(unknown or [Fault("/events", "must be a list", "send [...] with acts")])
    return Submission(_acts(tree["events"], ("events",)), True)


def _acts(trees: list[Any], at: tuple[str | int, ...]) -> tuple[ImpactCandidate, ...]:
    place = pointer(*at) if at else "/"
    if not trees or len(trees) > MAX_ACTS:
        raise InvalidInputError([Fault(place, "holds no act, or too many", f"send 1 to {MAX_ACTS} acts")])
    acts: list[ImpactCandidate] = []
    faults: list[Fault] = []
    for index, tree in enumerate(trees):
        try:
            acts.append(_act(tree, (*at, index)))
        except InvalidInputError as error:
            faults += error.faults
    faults += [
        Fault(pointer(*at, index, "realm_id"), "is another realm than the first act's", "send one batch for each realm")
        for index, act in enumerate(acts)
        if not faults and act.realm_id != acts[0].realm_id
    ]
    if faults:
        raise InvalidInputError(faults)
    return tuple(acts)


def _act(tree: Any, at: tuple[str | int, ...]) -> ImpactCandidate:
    act = _validated(tree, ImpactCandidate, at)
    faults = [
        Fault(pointer(*at, "evidence", *path), "points are made by the server alone", "remove it: send base_points")
        for path in _scored(act.evidence)
    ]
    if faults:
        raise InvalidInputError(faults)
    return act


def _validated(tree: Any, model: type[Asked], at: tuple[str | int, ...]) -> Asked:
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InvalidInputError([_fault(detail, at, tree) for detail in found]) from None


def _fault(detail: Any, at: tuple[str | int, ...], tree: Any) -> Fault:
    fault = describe(detail["type"], detail["loc"], detail["msg"], detail.get("ctx", {}), tree)
    path = pointer(*at) + fault.path
    # A body that is no object at all has no place of its own.
    return Fault(path or "/", fault.message, fault.fix)


def _scored(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the places in an act's evidence that claim a score."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, (list, tuple)) else ()
    for key, item in items:
        if isinstance(key, str) and _SCORED.match(_SIGNS.sub("", key.casefold())):
            yield (*path, key)
        else:
            yield from _scored(item, (*path, key))
