"""The part of a policy document that is about models: checked, with every default written out.

models:
  default: ollama/llama3.1:8b     one line: every member with `judge: model` asks it
  endpoints: {...}                servers beside the known ones (openai, lmstudio, vllm, ollama)
  prices: {...}                   dollars per million tokens
"""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple

from policies.cursor import REQUIRED, Place
from policies.model_names import Wrong, wrong_endpoint, wrong_model, wrong_url
from policies.models import PICODOLLARS, TOKENS_PRICED, Budgets, Endpoint, ModelsPolicy, ModelUse, Price

KNOWN_ENDPOINTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "openai": {
        "base_url": "https://api.openai.com/v1",
        "key": "OPENAI_API_KEY",
        "structured": "json_schema",
        "concurrency": 128,
    },
    "lmstudio": {"base_url": "http://127.0.0.1:1234/v1"},
    "vllm": {"base_url": "http://127.0.0.1:8000/v1", "concurrency": 128},
    "ollama": {"base_url": "http://127.0.0.1:11434/v1"},
}
"""Servers that need no entry of their own, at the addresses where they listen by default."""
STRUCTURED: Final = ("auto", "json_schema", "function_calling", "prompt")
MEMBER_FIELDS: Final[Mapping[str, Any]] = {
    "model": None,
    # Not sent: the models that reason refuse every temperature but their own with a 400, and servers know what their
    # model was made for. A decision is replayed from its record, not by asking again.
    "temperature": None,
    "timeout_s": "6",
    "max_output_tokens": 800,
}
"""What a member says about its model, with the defaults. `reads_player_text` is beside them: it differs by member."""
ENDPOINT_FIELDS: Final[Mapping[str, Any]] = {"base_url": REQUIRED, "key": None, "structured": "auto", "concurrency": 16}
"""What a policy says about a server, with the defaults."""
_MODELS: Final[Mapping[str, Any]] = {
    "default": None,
    "retries": 1,
    "on_failure": "abstain",
    "twin_from_impact": 0,
    "rebuttal_margin": None,
    "budgets": {},
    "endpoints": {},
    "prices": {},
}
_BUDGETS: Final[Mapping[str, Any]] = {
    "review_usd": "0.25",
    "realm_day_usd": "10",
    "day_usd": "30",
    "month_usd": "800",
    "when_spent": "rules",
}
_MOST_USD: Final = 1_000_000
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
"""Capitals only, so that a key that was pasted in place of its name is refused, and never recorded with the policy."""


def written_models(place: Place) -> dict[str, Any]:
    """Return the section `models` with every default written out; complaints say what is wrong with it."""
    fields = place.fields(_MODELS)
    if not fields:
        return {}
    endpoints = {name: _endpoint(item, name) for name, item in fields["endpoints"].entries().items()}
    for name, known in KNOWN_ENDPOINTS.items():
        endpoints.setdefault(name, {**ENDPOINT_FIELDS, **known})
    default = fields["default"]
    return {
        "default": None if default.value is None else written_model(default, endpoints),
        "retries": fields["retries"].integer(0, 3),
        "on_failure": fields["on_failure"].choice(["abstain", "rules"]),
        "twin_from_impact": _optional_integer(fields["twin_from_impact"], 0, 100),
        "rebuttal_margin": _margin(fields["rebuttal_margin"]),
        "budgets": _budgets(fields["budgets"]),
        "endpoints": endpoints,
        "prices": {name: _price(item, name, endpoints) for name, item in fields["prices"].entries().items()},
    }


def written_model(place: Place, endpoints: Mapping[str, Any]) -> str | None:
    """Return the name of a model, "endpoint/model", where its endpoint is known."""
    wrong = wrong_model(place.value, endpoints)
    return None if _faulted(place, wrong) else str(place.value)


def written_use(fields: Mapping[str, Place]) -> dict[str, Any]:
    """Return what a member says about its model. That the endpoint is known is checked where the whole is (`check_uses`)."""
    temperature, reads = fields["temperature"], fields["reads_player_text"]
    if not isinstance(reads.value, bool):
        reads.fault("must be true or false")
    return {
        "model": fields["model"].value,
        "temperature": None if temperature.value is None else _decimal(temperature, _IN_TEMPERATURE, 3),
        "timeout_s": _decimal(fields["timeout_s"], _IN_TIMEOUT, 3),
        "max_output_tokens": fields["max_output_tokens"].integer(64, 16_384),
        "reads_player_text": reads.value is True,
    }


def check_uses(members: Mapping[str, Place], endpoints: Mapping[str, Any]) -> None:
    """Complain about members whose model names an endpoint that is not known."""
    for place in members.values():
        if isinstance(place.value, Mapping) and place.value.get("model") is not None:
            written_model(place.at("model", place.value["model"]), endpoints)


def models_policy(written: Mapping[str, Any]) -> ModelsPolicy:
    """Build what holds for every model from the written section."""
    budgets, margin = written["budgets"], written["rebuttal_margin"]
    return ModelsPolicy(
        retries=written["retries"],
        on_failure=written["on_failure"],
        twin_from_impact=written["twin_from_impact"],
        rebuttal_margin=None if margin is None else Fraction(margin),
        budgets=Budgets(
            review=_picodollars(budgets["review_usd"]),
            realm_day=_picodollars(budgets["realm_day_usd"]),
            day=_picodollars(budgets["day_usd"]),
            month=_picodollars(budgets["month_usd"]),
            when_spent=budgets["when_spent"],
        ),
        prices={name: _built_price(item) for name, item in written["prices"].items()},
    )


def model_use(member: Mapping[str, Any], written: Mapping[str, Any], prices: Mapping[str, Price]) -> ModelUse | None:
    """Build a member's model: its own, or the default; None where its rules vote."""
    name = member["model"] or written["default"]
    if member["judge"] != "model" or name is None:
        return None
    endpoint, _, model = name.partition("/")
    temperature = member["temperature"]
    return ModelUse(
        endpoint=Endpoint(name=endpoint, **written["endpoints"][endpoint]),
        model=model,
        temperature=None if temperature is None else float(Fraction(temperature)),
        timeout_ms=int(Fraction(member["timeout_s"]) * 1000),
        max_output_tokens=member["max_output_tokens"],
        price=prices.get(name),
        reads_player_text=member["reads_player_text"],
    )


def _endpoint(place: Place, name: str) -> dict[str, Any]:
    fields = place.fields({**ENDPOINT_FIELDS, **KNOWN_ENDPOINTS.get(name, {})})
    if not fields:
        return {}
    _faulted(place, wrong_endpoint(name))
    key, url = fields["key"], fields["base_url"]
    if key.value is not None and not (isinstance(key.value, str) and _VARIABLE.fullmatch(key.value)):
        key.fault("must name an environment variable, in capitals", "never write the key itself: OPENAI_API_KEY")
    return {
        "base_url": "" if _faulted(url, wrong_url(url.value)) else str(url.value).rstrip("/"),
        "key": key.value,
        "structured": fields["structured"].choice(STRUCTURED),
        "concurrency": fields["concurrency"].integer(1, 1024),
    }


def _faulted(place: Place, wrong: Wrong | None) -> bool:
    if wrong is not None:
        place.fault(wrong.message, wrong.fix)
    return wrong is not None


def _optional_integer(place: Place, low: int, high: int) -> int | None:
    return None if place.value is None else place.integer(low, high)


def _margin(place: Place) -> str | None:
    if place.value is None:
        return None
    number = place.fraction(lambda value: 0 < value <= 1, "above 0 and at most 1")
    return None if number is None else str(number)


def _budgets(place: Place) -> dict[str, Any]:
    fields = place.fields(_BUDGETS)
    if not fields:
        return {}
    limits = {name: item for name, item in fields.items() if name != "when_spent"}
    return {
        **{name: None if item.value is None else _usd(item) for name, item in limits.items()},
        "when_spent": fields["when_spent"].choice(["rules", "quarantine"]),
    }


def _price(place: Place, name: str, endpoints: Mapping[str, Any]) -> dict[str, str | None]:
    """Return what a model costs; a model nobody can ask is a typing error, and so is a price of null."""
    _faulted(place, wrong_model(name, endpoints))
    fields = place.fields({"input": REQUIRED, "cached": None, "output": REQUIRED})
    if not fields:
        return {}
    usd = {name: _usd(fields[name]) for name in ("input", "output")}
    has_cached = "cached" in place.value
    return {
        "input": usd["input"],
        "cached": _usd(fields["cached"]) if has_cached else usd["input"],
        "output": usd["output"],
    }


class _Range(NamedTuple):
    """A range of exact numbers, with its words."""

    accepts: Callable[[Fraction], bool]
    words: str


_IN_TEMPERATURE: Final = _Range(lambda value: 0 <= value <= 2, "between 0 and 2")
_IN_TIMEOUT: Final = _Range(lambda value: 0 < value <= 120, "above 0 and at most 120 seconds")
_IN_USD: Final = _Range(lambda value: 0 <= value <= _MOST_USD, "between 0 and 1,000,000 dollars")


def _usd(place: Place) -> str | None:
    return _decimal(place, _IN_USD, 6)


def _decimal(place: Place, within: _Range, places: int) -> str | None:
    """Read an exact number of at most so many decimals; return it without trailing zeros."""
    number = place.fraction(within.accepts, within.words)
    if number is None:
        return None
    units = number * 10**places
    if units.denominator != 1:
        place.fault(f"has more than {places} decimals", "round it")
        return None
    whole, rest = divmod(units.numerator, 10**places)
    return f"{whole}.{rest:0{places}d}".rstrip("0").rstrip(".") if rest else str(whole)


def _picodollars(usd: str | None) -> int | None:
    return None if usd is None else int(Fraction(usd) * PICODOLLARS)


def _built_price(written: Mapping[str, str]) -> Price:
    per_token = {name: int(Fraction(usd) * PICODOLLARS / TOKENS_PRICED) for name, usd in written.items()}
    return Price(**per_token)
