"""COUNCIL_MODELS: one line that says which models the members ask, laid over whatever the policy file says.

    ollama/llama3.1:8b                                every member with `judge: model` asks it
    lmstudio/qwen3-8b@http://127.0.0.1:9999/v1        the same, and where that server listens
    lab/qwen3-8b@http://10.0.0.7:8000/v1              a server that the policy does not name
    ollama/llama3.1:8b,lore=openai/gpt-4.1-mini       one member asks another one
    ollama/llama3.1:8b,fairness=rules                 one member judges by rules
    rules                                             nobody asks a model

What it says is written into the policy's document, so the content hash and the record tell what was really asked.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations
from typing import Any, Final, NamedTuple

from policies.faults import did_you_mean
from policies.model_names import Wrong, wrong_model, wrong_url
from policies.models_document import ENDPOINT_FIELDS
from policies.policy_faults import InvalidPolicyError, PolicyFault
from policies.verdicts import MEMBERS, Member

VARIABLE: Final = "COUNCIL_MODELS"
RULES: Final = "rules"
MAX_CHARACTERS: Final = 4096
_FORM: Final = "write ENDPOINT/MODEL[@URL] for every member, MEMBER=ENDPOINT/MODEL[@URL] for one, or rules for no model"
_URL_MARKS: Final = ("@http://", "@https://")
_ADDRESS: Final = re.compile("@|://")
_SHOWN: Final = 80


class ModelChoice(NamedTuple):
    """One entry of the line."""

    member: Member | None
    """None: every member with `judge: model`."""
    model: str | None
    """Endpoint and model; None: rules."""
    base_url: str | None
    """Where the endpoint listens; None: where the policy says."""


def read_choices(text: str) -> tuple[ModelChoice, ...]:
    """Read the line; spaces around entries and empty entries mean nothing.

    Raises:
        InvalidPolicyError: with every fault, none of which shows a URL: it may hold a password.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidPolicyError(
            [_fault(f"longer than {MAX_CHARACTERS} characters", "write the models into the policy")]
        )
    faults: list[PolicyFault] = []
    choices: list[ModelChoice] = []
    for entry in filter(None, (entry.strip() for entry in text.split(","))):
        choice = _read(entry)
        if isinstance(choice, Wrong):
            faults.append(_fault(f"the entry {_shown(entry)!r}: {choice.message}", choice.fix))
        else:
            choices.append(choice)
    faults += _clashes(choices)
    if faults:
        raise InvalidPolicyError(faults)
    return tuple(choices)


def read_one(text: str, variable: str) -> ModelChoice | None:
    """Read a line that names one model and no member, such as COUNCIL_STORY_MODEL; None where it is empty, or says rules.

    Args:
        text: ENDPOINT/MODEL[@URL].
        variable: what the line is called, for messages.

    Raises:
        InvalidPolicyError: with every fault, none of which shows a URL.
    """
    with _named(variable):
        choices = read_choices(text)
        if len(choices) > 1 or any(choice.member for choice in choices):
            raise InvalidPolicyError([_fault("names more than one model, or a member", "write ENDPOINT/MODEL[@URL]")])
    return choices[0] if choices and choices[0].model is not None else None


def with_one(written: Mapping[str, Any], choice: ModelChoice, variable: str) -> dict[str, Any]:
    """Return a policy document that knows the endpoint of a model which no member asks.

    Raises:
        InvalidPolicyError: where the entry names an endpoint that the policy does not know, and no URL.
    """
    with _named(variable):
        return with_choices(written, [choice])


def choices_text(choices: Sequence[ModelChoice]) -> str:
    """Write choices as the line that reads as them."""
    return ",".join(_written(choice) for choice in choices)


def with_choices(written: Mapping[str, Any], choices: Sequence[ModelChoice]) -> dict[str, Any]:
    """Lay choices over a policy document that has passed every check.

    The entry for every member also takes the place of what single members name in the file: all of them ask it. It leaves
    `judge: rules` alone, which is the designers' word that a member asks no model; an entry of the member's own does not.

    Raises:
        InvalidPolicyError: where an entry names an endpoint that the policy does not know, and no URL.
    """
    endpoints = dict(written["models"]["endpoints"])
    for choice in choices:
        if choice.model is not None and choice.base_url is not None:
            name = choice.model.partition("/")[0]
            endpoints[name] = {**endpoints.get(name, ENDPOINT_FIELDS), "base_url": choice.base_url.rstrip("/")}
    wrongs = [(choice, _unknown(choice, endpoints)) for choice in choices]
    faults = [
        _fault(f"the entry {_shown(_written(each))!r}: {wrong.message}", wrong.fix) for each, wrong in wrongs if wrong
    ]
    if faults:
        raise InvalidPolicyError(faults)
    members, default = dict(written["members"]), written["models"]["default"]
    for choice in sorted(choices, key=lambda choice: choice.member is not None):
        if choice.member is None:
            default = choice.model
            members = {name: {**member, "model": None} for name, member in members.items()}
        else:
            judge = "rules" if choice.model is None else "model"
            members[choice.member] = {**members[choice.member], "judge": judge, "model": choice.model}
    models = {**written["models"], "default": default, "endpoints": endpoints}
    return {**written, "members": members, "models": models}


def _read(entry: str) -> ModelChoice | Wrong:
    rest, url = _parted(entry)
    # A model's own name may hold an equals sign; a member's stands before the first slash.
    before, equals, after = rest.partition("=")
    member, named = (before.strip(), after.strip()) if equals and "/" not in before else (None, rest.strip())
    if member is not None and member not in MEMBERS:
        return Wrong(f"there is no member {member[:_SHOWN]!r}", did_you_mean(member, MEMBERS))
    if named == RULES and url is None:
        return ModelChoice(member, None, None)
    if "/" not in named:
        return Wrong("names no model", _FORM)
    wrong = wrong_model(named)
    if wrong is None and _looks_like_an_address(named):
        wrong = Wrong(
            "what stands after @ is no URL", "write it with http:// or https://, as in @http://127.0.0.1:1234/v1"
        )
    if wrong is None and url is not None:
        wrong = wrong_url(url)
    return wrong or ModelChoice(member, named, url)


def _parted(entry: str) -> tuple[str, str | None]:
    """Part an entry from its URL: an @ alone may be part of a model's name (qwen3-8b@q4_k_m)."""
    found = [at for at in (entry.find(mark) for mark in _URL_MARKS) if at >= 0]
    if not found:
        return entry, None
    return entry[: min(found)], entry[min(found) + 1 :]


def _looks_like_an_address(model: str) -> bool:
    before, at, after = model.rpartition("@")
    return bool(at) and not before.endswith("/") and any(mark in after for mark in ":/")


def _clashes(choices: Sequence[ModelChoice]) -> list[PolicyFault]:
    faults = []
    for one, other in combinations(choices, 2):
        if one.member == other.member:
            who = one.member or "every member"
            faults.append(_fault(f"says twice what {who} asks", "keep one of the two entries"))
        hosts = [(each.model or "").partition("/")[0] for each in (one, other)]
        if hosts[0] == hosts[1] and None not in (one.base_url, other.base_url) and one.base_url != other.base_url:
            fix = "give the second server a name of its own, such as lab/MODEL@URL"
            faults.append(_fault(f"gives the endpoint {hosts[0]!r} two addresses", fix))
    return faults


def _unknown(choice: ModelChoice, endpoints: Mapping[str, Any]) -> Wrong | None:
    if choice.model is None:
        return None
    wrong = wrong_model(choice.model, endpoints)
    return None if wrong is None else Wrong(wrong.message, f"{wrong.fix}; a server of your own: ENDPOINT/MODEL@URL")


def _written(choice: ModelChoice) -> str:
    member = f"{choice.member}=" if choice.member else ""
    return f"{member}{choice.model or RULES}" + (f"@{choice.base_url}" if choice.base_url else "")


def _shown(entry: str) -> str:
    """Return an entry as messages show it: up to where an address may begin, which may hold a password."""
    name = _ADDRESS.split(entry, maxsplit=1)[0]
    return name if len(name) <= _SHOWN else name[:_SHOWN] + "…"


@contextmanager
def _named(variable: str) -> Iterator[None]:
    """Tell faults as those of another variable."""
    try:
        yield
    except InvalidPolicyError as error:
        raise InvalidPolicyError([replace(fault, file=variable) for fault in error.faults]) from None


def _fault(message: str, fix: str) -> PolicyFault:
    return PolicyFault(VARIABLE, 0, "", message, fix)
