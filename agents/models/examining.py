"""Examines a model as `council doctor` does: asks its endpoint for real, and says what to fix."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import httpx2

from agents.asking import Question, Reply
from agents.models.calls import Caller
from agents.ports import Judge
from policies.faults import did_you_mean
from policies.models import Endpoint, ModelUse, dollars
from policies.verdicts import Member

State = Literal["good", "warning", "bad"]
LIST_TIMEOUT_S: Final = 5.0
MAX_LISTED: Final = 2_000_000
"""Longest list of models that is read, bytes: hosted endpoints list hundreds."""


class Check(NamedTuple):
    """One thing that was looked at."""

    name: Literal["key", "endpoint", "model", "vote", "text", "time", "price"]
    state: State
    says: str
    fix: str = ""


class Examined(NamedTuple):
    """One model as it was found."""

    model: str
    """Endpoint and model, as the policy names them."""
    base_url: str
    members: tuple[Caller, ...]
    """Who asks it."""
    checks: tuple[Check, ...]

    @property
    def state(self) -> State:
        """The worst of its checks."""
        states = {check.state for check in self.checks}
        return "bad" if "bad" in states else "warning" if "warning" in states else "good"


async def examine(
    use: ModelUse, members: tuple[Member, ...], question: Question, judge: Judge, environ: Mapping[str, str]
) -> Examined:
    """Ask a model's endpoint what it serves, and the model for one vote.

    Args:
        question: the vote that is asked for; its `use` is the model's.
        judge: asks it, with the structured output, the time limit and the price that reviews have.
        environ: values of the variables that endpoints name as their keys.
    """
    checks = [key_check(use.endpoint, environ)]
    if checks[0].state != "bad":
        checks += await endpoint_checks(use, environ)
        reply = await judge.ask(question)
        checks.append(_vote(use, reply))
        if reply.failed is None:  # else nothing was measured
            checks += [_time(use, reply), _price(use, reply)]
    return Examined(use.name, use.endpoint.base_url, members, tuple(checks))


def key_check(endpoint: Endpoint, environ: Mapping[str, str]) -> Check:
    """Look for the value of an endpoint's key."""
    if endpoint.key is None:
        return Check("key", "good", "no key is sent")
    if environ.get(endpoint.key, "").strip():
        return Check("key", "good", f"taken from {endpoint.key}")
    return Check("key", "bad", f"{endpoint.key} is not set", f"export {endpoint.key}=..., or write it into .env")


async def endpoint_checks(use: ModelUse, environ: Mapping[str, str]) -> list[Check]:
    """Look the model up among those that the endpoint lists; not every server lists them."""
    url = f"{use.endpoint.base_url}/models"
    key = environ.get(use.endpoint.key or "", "").strip()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with httpx2.AsyncClient(timeout=LIST_TIMEOUT_S, trust_env=False) as client:
            response = await client.get(url, headers=headers)
    except httpx2.HTTPError as error:
        fix = f"start it, or point endpoint {use.endpoint.name!r} elsewhere: COUNCIL_MODELS={use.name}@http://HOST:PORT/v1"
        return [Check("endpoint", "bad", f"{url} does not answer: {type(error).__name__}", fix)]
    if response.status_code in (401, 403):
        fix = (
            f"put a valid key into {use.endpoint.key}"
            if use.endpoint.key
            else "name the key's variable: models.endpoints"
        )
        return [Check("endpoint", "bad", f"{url} refuses the key: HTTP {response.status_code}", fix)]
    names = _names(response)
    if response.status_code != 200 or names is None:
        told = f"{url} lists no models (HTTP {response.status_code}); whether the model exists is seen below"
        return [Check("endpoint", "warning", told, "check that base_url ends with the API's version, such as /v1")]
    reached = Check(
        "endpoint",
        "good",
        f"{use.endpoint.base_url} answers and lists {len(names)} model{'' if len(names) == 1 else 's'}",
    )
    if use.model in names:
        return [reached, Check("model", "good", f"{use.model} is there")]
    fix = did_you_mean(use.model, names) if names else "load or pull the model at the endpoint"
    return [reached, Check("model", "warning", f"{use.model} is not among the models listed", fix)]


def _names(response: httpx2.Response) -> list[str] | None:
    try:
        listed: Any = response.json()["data"] if len(response.content) <= MAX_LISTED else None
        return [str(each["id"]) for each in listed]
    except (ValueError, KeyError, TypeError):
        return None


_FIXES: Final = {
    "timeout": "give the members more time (members.*.timeout_s), or name a faster model",
    "unreachable": "check the address, the key and the model's name",
    "unparsed": "try structured: function_calling or prompt for this endpoint, or a larger model",
    "off_schema": "try another rung of structured output for this endpoint, or a larger model",
    "refused": "the model refuses to judge; name another one",
    "budget": "raise models.budgets, or wait until tomorrow",
}


def _vote(use: ModelUse, reply: Reply) -> Check:
    if reply.failed is not None:
        return Check("vote", "bad", f"no vote, {reply.failed}: {reply.because}", _FIXES.get(reply.failed, ""))
    form = str(reply.parameters.get("form", ""))
    calls = len(reply.attempts)
    told = f"a valid vote by {form}" + (f" after {calls} calls" if calls > 1 else "")
    if use.endpoint.structured == "auto" and form != "json_schema":
        fix = f"write structured: {form} for endpoint {use.endpoint.name!r}, so that no call is spent on finding out"
        return Check("vote", "warning", told, fix)
    return Check("vote", "good" if calls == 1 else "warning", told)


def _time(use: ModelUse, reply: Reply) -> Check:
    told = f"{reply.latency_ms} ms of {use.timeout_ms} ms"
    if reply.latency_ms * 2 > use.timeout_ms:
        return Check("time", "warning", f"{told}: more than half", "raise timeout_s; five members ask at once")
    return Check("time", "good", told)


def _price(use: ModelUse, reply: Reply) -> Check:
    used = reply.usage
    tokens = f"{'about ' if used.is_estimated else ''}{used.input} + {used.output} tokens"
    if use.price is None:
        fix = f'add it to models.prices: "{use.name}": {{input: "0", output: "0"}} where it costs nothing'
        return Check("price", "warning", f"{tokens}; the policy has no price for it, so budgets cannot hold it", fix)
    return Check("price", "good", f"{tokens}, {dollars(reply.picodollars)} USD for this vote")
